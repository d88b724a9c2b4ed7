"""Floor 1: what every plane that writes SQL shares; see the README of this room."""
