"""The schema of a database as a value, and the statements that turn one into another."""
