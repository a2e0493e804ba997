"""Helpers of the DDPG course: noise, memory, networks, environments, training, plots and checks."""

__version__ = "1.0.0"
