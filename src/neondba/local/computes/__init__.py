"""Computes: PostgreSQL processes that wake on demand and sleep when nobody asks."""
