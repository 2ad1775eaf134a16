#!/bin/sh
# Sets up and runs the tests on SQLite, whatever .env says. Arguments go to pytest.
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh

export DB_ENGINE=sqlite DB_NAME=var/test.sqlite3
sh scripts/setup.sh requirements-dev.txt
. scripts/test-environment.sh
say "Running the tests on SQLite …"
.venv/bin/python -m pytest --numprocesses auto --dist loadgroup --ignore tests/browser "$@" || die "Tests failed on SQLite."
say "The tests passed on SQLite."
