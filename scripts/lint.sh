#!/bin/sh
# Style, types, floors, migrations, deployment checks, the schema. Changes nothing; runs every check before it
# fails.
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh

# On SQLite, because `check` opens the database.
export DB_ENGINE=sqlite DB_NAME=var/lint.sqlite3
sh scripts/setup.sh requirements-dev.txt
. scripts/test-environment.sh
bin=.venv/bin
failed=

# check NAME ADVICE COMMAND…: what the command says is shown only where it fails.
check() {
    name=$1
    advice=$2
    shift 2
    if ! "$@" >var/lint.log 2>&1; then
        cat var/lint.log >&2
        printf '%s\n' "$name failed. $advice" >&2
        failed="$failed $name"
    fi
}

production_check() {
    (
        # As deploy/secrets.sh would write them; the secrets are those of the tests, and the database SQLite.
        while IFS= read -r line; do
            case $line in
                DB_*) ;;
                [A-Z]*=?*) export "${line%%=*}=${line#*=}" ;;
            esac
        done <deploy/production.env.example
        # What only the company can fill in.
        export COMPANY_UEN=201992345C COMPANY_GST_REGISTRATION_NO=M90312345A
        "$bin/python" manage.py check --deploy --fail-level WARNING
    )
}

check ruff "Some of it mends itself: .venv/bin/ruff check --fix ." "$bin/ruff" check .
check format "Format it: .venv/bin/ruff format ." "$bin/ruff" format --check .
check floors "docs/architecture.md draws them." "$bin/lint-imports" --no-logo
check migrations "Write them: .venv/bin/python manage.py makemigrations" \
    "$bin/python" manage.py makemigrations --check --dry-run
check deployment "These are production's settings." production_check
check schema "A view or serializer lacks its words." \
    "$bin/python" manage.py spectacular --validate --fail-on-warn --file var/openapi.yaml
check openapi.yaml "docs/openapi.yaml isn't what the code says. Write it anew: make schema" \
    diff -u docs/openapi.yaml var/openapi.yaml
check mypy "" "$bin/mypy" .

[ -z "$failed" ] || die "Lint failed:$failed"
say "Lint is clean."
