"""PayPal, through its own library (the extra `tallygate[paypal]`)."""
