"""This system as a tutorial would write it: what `benchmarks.beside_plain` measures ours against.

One view, one transaction: numbers from a counter row that is locked until the commit, each row read and saved by itself,
the page laid out by WeasyPrint as its documentation shows. Django's own settings for both databases. No audit, no
ledger, no contract rates, no replays.
"""
