"""Floor 1: use-cases over ports; see the README of this room."""
