"""What the local Neon remembers: SQLite through SQLModel, and nowhere else."""
