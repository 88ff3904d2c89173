"""Machinery that knows neither Neon nor Postgres."""
