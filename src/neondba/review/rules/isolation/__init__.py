"""4xx: rows shown to, or changed by, the wrong user."""
