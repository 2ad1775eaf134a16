"""A rule is tested when a test fails without it.

`tests/mutants.toml` lists mutants: a file, a text in it, what to write instead, and the tests that must fail then.
`make mutants` tries them; `rules.py` says which rules the code has, and a test fails for each that no mutant takes away.
"""
