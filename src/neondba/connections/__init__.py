"""Connections: set-up, checks, error texts, pools."""
