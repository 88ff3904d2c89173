"""7xx: schemas that cannot keep their data right."""
