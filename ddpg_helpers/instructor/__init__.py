"""The instructor's part of the package: the answers, the grading and the course tools."""
