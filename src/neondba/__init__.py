"""The database administrator for projects on Neon."""

__version__ = "0.1.0"
