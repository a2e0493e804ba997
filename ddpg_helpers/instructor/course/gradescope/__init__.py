"""Gradescope: the autograder's zip, and what runs in Gradescope's container."""
