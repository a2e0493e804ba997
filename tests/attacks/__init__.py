"""Attacks on the grader, and broken submissions: what each tries, and what it deserves.

``python -m tests.attacks`` grades them all beside honest submissions and prints a table. Each
module named after a family holds that family's attacks; ``registry.all_attacks`` imports them.
"""
