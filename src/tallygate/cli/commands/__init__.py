"""The commands, one module a noun. None is imported before it is run."""
