"""What tests and benchmarks try things on: real servers, a small company in their database, invoices to print.

It imports neither of them.
"""
