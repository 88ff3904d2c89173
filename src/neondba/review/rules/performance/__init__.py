"""Rules about queries and what they cost."""
