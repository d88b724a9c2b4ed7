"""Razorpay, through its own library (the extra `tallygate[razorpay]`)."""
