"""Rules over facts: what a careful reader of the project finds."""
