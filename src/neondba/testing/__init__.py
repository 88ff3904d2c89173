"""Branches for tests: the pytest plugin."""
