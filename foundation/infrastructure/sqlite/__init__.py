"""Django's SQLite, which reads a broken row as broken instead of failing (see `base`)."""
