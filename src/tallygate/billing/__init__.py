"""From what was held and used to invoices."""
