#!/bin/sh
# Measures on SQLite and on a private MariaDB server, and prints the tables. Arguments go to benchmarks/__main__.py
# (--quick). The histories of up to a million sales are made once, in var/bench.
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh

need_mariadb bench
export DB_ENGINE=mysql DB_NAME=var/bench/unused.sqlite3
sh scripts/setup.sh requirements-dev.txt
. scripts/test-environment.sh
mkdir -p var/bench
say "Measuring; the first time takes an hour and a half, --quick a quarter of an hour …" >&2
.venv/bin/python -m benchmarks "$@" | tee var/bench/results.md
say "The tables are in var/bench/results.md." >&2
