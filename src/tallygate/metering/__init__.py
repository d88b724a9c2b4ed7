"""Floor 2: use-cases over ports; see the README of this room."""
