"""Transaction pooling, as PgBouncer does it inside every Neon compute."""
