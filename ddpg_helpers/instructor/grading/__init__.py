"""Grading: the judge, the hidden tests' one call, and the nbgrader plug-ins."""

from ddpg_helpers.instructor.grading.hidden import grade

__all__ = ["grade"]
