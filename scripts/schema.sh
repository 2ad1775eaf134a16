#!/bin/sh
# Writes docs/openapi.yaml anew.
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh

export DB_ENGINE=sqlite DB_NAME=var/lint.sqlite3
sh scripts/setup.sh
. scripts/test-environment.sh
.venv/bin/python manage.py spectacular --validate --fail-on-warn --file docs/openapi.yaml
say "docs/openapi.yaml is written."
