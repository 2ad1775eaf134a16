"""A model of the business that imports nothing of the project: what the reports have to say, worked out a second time.

It is told what happened as a person would say it (`books`), keeps it in lists (`records`), and works out every figure
by going through them (`accounts`, `sales`, `stock`). Simple before all: where it and the project differ, whoever reads
both sees which of them is wrong. It stores no balance and no sum.
"""
