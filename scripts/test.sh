#!/bin/sh
# Sets up and runs the tests on SQLite, whatever .env says.
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh

sh scripts/setup.sh requirements-dev.txt
say "Running the tests …"
. scripts/test-environment.sh
DB_ENGINE=sqlite DB_NAME=var/test.sqlite3
export DB_ENGINE DB_NAME
.venv/bin/python -m pytest --numprocesses auto "$@"
say "The tests passed on SQLite."
