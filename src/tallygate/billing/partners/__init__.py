"""Those who earn beside the tenant: what was agreed with them, what they bill, and what is theirs of what was paid."""
