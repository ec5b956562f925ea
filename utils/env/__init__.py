"""The course's own environment: made with Python's standard library alone, before anything is installed."""
