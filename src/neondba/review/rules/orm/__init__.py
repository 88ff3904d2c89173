"""3xx: what passes the ORM by."""
