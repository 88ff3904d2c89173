"""Data directories: one per branch, made whole or not at all."""
