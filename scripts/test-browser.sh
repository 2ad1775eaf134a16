#!/bin/sh
# Tries the office, Swagger UI and the field app in headless Chromium against live sites with the demo data: all of it
# on SQLite, the field app's days on a private MariaDB too. Screenshots are left in var/screenshots.
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh

need_browser test-browser
export DB_NAME=var/test-browser.sqlite3
DB_ENGINE=mysql sh scripts/setup.sh requirements-dev.txt
. scripts/test-environment.sh
say "Trying the office and the field app in a browser …"
DB_ENGINE=sqlite .venv/bin/python -m pytest tests/browser "$@" || die "Tests in the browser failed; var/screenshots shows where."
say "Trying the field app on MariaDB …"
DB_ENGINE=mysql .venv/bin/python -m pytest tests/browser/test_field_app.py "$@" ||
    die "Tests in the browser failed on MariaDB; var/screenshots shows where."
say "The office and the field app work in a browser."
