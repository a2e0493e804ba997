"""Visible checks: stored probes and outcomes, observe, name the bug. No answer is in the code."""

from ddpg_helpers.checks.stored import number_under_mistakes
from ddpg_helpers.checks.visible import CheckError, check, needs

__all__ = ["CheckError", "check", "needs", "number_under_mistakes"]
