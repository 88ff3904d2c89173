"""1xx: secrets and environments."""
