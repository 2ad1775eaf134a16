"""Where payments are found."""

PAYMENT_NUMBERS = {"PAY": "pk", "": "reference"}
"""Which field holds the numbers of a prefix, see `customers.search`."""
