"""What branches use, hour by hour, and what happens when a quota is used up."""
