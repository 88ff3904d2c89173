"""Neon's API v2 as the local Neon answers it."""
