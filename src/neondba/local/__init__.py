"""The local Neon: Neon's API, proxy, computes and storage on this machine."""
