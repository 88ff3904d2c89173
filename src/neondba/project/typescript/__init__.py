"""TypeScript and JavaScript files as facts: syntax, names across files, statements and their callers."""
