"""Floor 0: pure values and rules, standard library only; no clock, no I/O."""
