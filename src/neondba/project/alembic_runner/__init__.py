"""Run a project's own Alembic, one revision at a time, against a database of our choosing."""
