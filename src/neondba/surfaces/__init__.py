"""The command line, agents' tools and HTTP, derived from the operations; none is named here."""
