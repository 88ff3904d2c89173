"""Errors of connections to Neon, as data: one record per error, by theme."""
