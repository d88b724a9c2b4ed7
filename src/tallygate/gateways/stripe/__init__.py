"""Stripe, through its own library (the extra `tallygate[stripe]`)."""
