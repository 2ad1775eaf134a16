#!/bin/sh
# Style, types, floors, migrations, deployment checks, the schema. Changes nothing.
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh

sh scripts/setup.sh requirements-dev.txt
. scripts/test-environment.sh
DB_ENGINE=sqlite DB_NAME=var/lint.sqlite3
export DB_ENGINE DB_NAME
bin=.venv/bin
"$bin/ruff" check --quiet .
"$bin/ruff" format --quiet --check . || die "Not formatted: run .venv/bin/ruff format ."
"$bin/mypy" --no-error-summary .
"$bin/lint-imports" --no-logo >var/lint-imports.log 2>&1 || die "$(cat var/lint-imports.log)"
"$bin/python" manage.py makemigrations --check --dry-run --verbosity 1 >/dev/null || die "A migration is missing: manage.py makemigrations"
DEBUG=False SECURE_SSL_REDIRECT=True SECURE_HSTS_SECONDS=31536000 ALLOWED_HOSTS=lpg.example.sg NUM_PROXIES=1 \
    "$bin/python" manage.py check --deploy --fail-level WARNING >/dev/null
"$bin/python" manage.py spectacular --validate --fail-on-warn --file var/openapi.yaml
cmp -s var/openapi.yaml docs/openapi.yaml || die "docs/openapi.yaml is not what the code says: run make schema"
say "Lint is clean."
