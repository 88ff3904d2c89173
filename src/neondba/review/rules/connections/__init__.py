"""2xx: connections and pooling."""
