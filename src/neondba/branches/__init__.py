"""Projects and branches: create, list, delete."""
