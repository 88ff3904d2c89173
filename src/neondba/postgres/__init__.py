"""Any Postgres: connecting, the catalog, rows, statements and executed facts."""
