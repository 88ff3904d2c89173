"""Who may reach whose rows: entrances, statements and what binds them to the caller."""
