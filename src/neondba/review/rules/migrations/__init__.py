"""6xx: migrations that hurt."""
