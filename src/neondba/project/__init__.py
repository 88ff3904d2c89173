"""A checkout as facts."""
