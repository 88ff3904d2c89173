"""Run a project's own Alembic, a revision at a time, on a database we choose."""
