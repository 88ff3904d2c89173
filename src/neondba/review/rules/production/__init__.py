"""9xx: what fails in production."""
