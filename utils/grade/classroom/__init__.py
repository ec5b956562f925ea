"""Grading a class: submissions are gathered, graded one by one in the sandbox, and kept as one record each."""
