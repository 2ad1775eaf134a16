"""The project's packages, from the bottom up: the one list that settings, tools and tests derive from.

A package may import from those below its own layer. Tools that read pyproject.toml alone have the list there once more;
`tests/architecture/test_packages.py` compares.
"""

LAYERS: tuple[tuple[str, ...], ...] = (
    ("foundation",),
    ("audit",),
    ("sequences",),
    ("depots", "equipment"),
    ("fleet",),
    ("accounts",),
    ("discrepancies",),
    ("customers",),
    ("inventory",),
    ("deposits",),
    ("distribution", "invoices"),
    ("payments",),
    ("transactions",),
    ("settlements",),
    ("periods",),
    ("sync", "reports"),
    ("core",),
)
PACKAGES = tuple(package for layer in LAYERS for package in layer)
APPS = tuple(package for package in PACKAGES if package != "core")
