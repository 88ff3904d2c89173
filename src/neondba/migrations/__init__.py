"""Rehearse migrations on a throw-away branch."""
