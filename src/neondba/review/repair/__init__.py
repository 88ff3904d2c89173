"""Carry out what rules propose: edits of files, and migrations in the form of the project's own tool."""
