"""What is owed, purely: prices, charge models, cover, rating, documents. No clock, no I/O, no float."""
