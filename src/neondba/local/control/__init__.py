"""The control plane: every change is an operation that a crash leaves finished or undone."""
