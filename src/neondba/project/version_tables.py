"""The tables in which migration tools note what has run, as schemas know them."""

from __future__ import annotations

from neondba.postgres.version_tables import VERSION_TABLES

__all__ = ["VERSION_TABLES"]
