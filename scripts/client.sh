#!/bin/sh
# Makes the typed client from docs/openapi.yaml, compiles it strictly, and sells with it on a server of its own.
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh

need_npm client
export DB_ENGINE=sqlite DB_NAME=var/client.sqlite3
sh scripts/setup.sh requirements-dev.txt
. scripts/test-environment.sh
cd examples/typescript_client
npm ci --silent --no-progress >../../var/npm.log 2>&1 ||
    die "The client's packages could not be installed (var/npm.log tells more)."
npm run --silent generate >../../var/npm.log 2>&1 || { cat ../../var/npm.log >&2; die "docs/openapi.yaml makes no types."; }
npm run --silent check || die "The client does not compile: the API has changed."
cd ../..
DJANGO_SETTINGS_MODULE=core.settings .venv/bin/python -m tests.contract.typescript_client || die "The client did not get through its sale."
say "The TypeScript client compiles and sells."
