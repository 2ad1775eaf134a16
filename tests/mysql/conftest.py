"""What only MySQL and MariaDB have: sessions, users, rights."""

from django.db import connection

if connection.vendor != "mysql":
    collect_ignore_glob = ["test_*.py"]
