"""What callers asked and were answered, and what must hold of any such history. Pure: records in, violations out."""
