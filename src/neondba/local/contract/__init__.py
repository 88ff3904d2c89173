"""Neon's published API as facts: what may be asked, and what may be answered."""
