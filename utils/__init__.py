"""The machinery of the course; imports neither solutions nor tests at import time."""
