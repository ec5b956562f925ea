"""The start page: the exercise that shows how the course works."""
