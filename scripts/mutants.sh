#!/bin/sh
# Takes each rule of tests/mutants.toml away, one at a time, and sees that a test fails (tests/mutation). Arguments:
# words that choose by file, rule or test; --seconds N for what the time allows, the files that changed last first.
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh

need_mariadb mutants
export DB_ENGINE=mysql
sh scripts/setup.sh requirements-dev.txt
. scripts/test-environment.sh
.venv/bin/python -m tests.mutation "$@"
