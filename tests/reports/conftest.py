"""Which tests are for one engine alone."""

from django.db import connection

# MariaDB reads small tables whole, whatever indexes they have: there the benchmark shows it on large ones.
collect_ignore = ["test_plans.py"] if connection.vendor == "mysql" else []
