"""One TLS address in front of all computes, as Neon has it."""
