"""The control plane: a crash leaves no change half-made."""
