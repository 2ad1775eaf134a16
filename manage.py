#!/usr/bin/env python
"""Django's command-line utility for HSH LPG. What is missing or wrong in the set-up is said in a sentence."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "core.settings")
    try:
        from django.core.exceptions import ImproperlyConfigured
        from django.core.management import execute_from_command_line
        from django.db import OperationalError

        try:
            execute_from_command_line(sys.argv)
        except (ImproperlyConfigured, OperationalError) as error:
            if "--traceback" in sys.argv:
                raise
            sys.exit(f"The database (DB_*): {error}" if isinstance(error, OperationalError) else str(error))
    except ModuleNotFoundError as error:
        if "--traceback" in sys.argv:
            raise
        sys.exit(f"{error.name} isn't installed for {sys.executable}: `make setup`, then .venv/bin/python manage.py …")


if __name__ == "__main__":
    main()
