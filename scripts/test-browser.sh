#!/bin/sh
# Tries the office and Swagger UI in headless Chromium against a live site with the demo data, on SQLite. Screenshots
# are left in var/screenshots.
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh

if ! command -v chromium >/dev/null 2>&1; then
    [ "$(id -u)" = 0 ] || die "Missing for the tests in a browser (as root): apt-get install chromium"
    mkdir -p var
    say "Installing Debian's chromium …"
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium; } \
        >var/apt.log 2>&1 || die "Debian's chromium could not be installed (var/apt.log tells more)."
fi
export DB_ENGINE=sqlite DB_NAME=var/test-browser.sqlite3
sh scripts/setup.sh requirements-dev.txt
. scripts/test-environment.sh
say "Trying the office in a browser …"
.venv/bin/python -m pytest tests/browser "$@" || die "Tests in the browser failed; var/screenshots shows where."
say "The office works in a browser."
