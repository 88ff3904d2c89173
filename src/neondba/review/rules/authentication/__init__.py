"""5xx: authentication that is not ours to do."""
