#!/bin/sh
# Makes .venv with the pinned requirements and .env with fresh secrets. Safe to repeat; quick when there is
# nothing to do. Usage: setup.sh [requirements file]
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh

requirements=${1:-requirements.txt}
python=.venv/bin/python

has_mysql_headers() {
    command -v cc >/dev/null 2>&1 && command -v pkg-config >/dev/null 2>&1 &&
        { pkg-config --exists libmariadb || pkg-config --exists mysqlclient || pkg-config --exists mariadb; }
}

# pip's talk is kept for when it is needed.
install() {
    mkdir -p var
    "$python" -m pip install --quiet --disable-pip-version-check --no-input -r "$1" >var/pip.log 2>&1
}

headers_missing="mysqlclient could not be built. Install its headers: apt-get install libmariadb-dev pkg-config gcc python3-dev"

wanted() { cat requirements.txt "$requirements" requirements-mysql.txt | cksum; }
stamp=.venv/.set-up-$(basename "$requirements" .txt)
engine=$(setting DB_ENGINE)

if ! usable "$python"; then
    found=$(find_python) ||
        die "No Python 3.12 or newer with venv was found. Install one, e.g.: apt-get install python3.12 python3.12-venv (or pyenv install 3.13)."
    say "Setting up .venv with $("$found" --version) …"
    rm -rf .venv
    "$found" -m venv .venv
fi

if [ ! -f "$stamp" ] || [ "$(cat "$stamp")" != "$(wanted)" ]; then
    rm -f "$stamp"
    say "Installing $requirements …"
    install "$requirements" || die "The requirements could not be installed: $(grep -v '^WARNING' var/pip.log | tail -n 3)"
    if [ "$engine" = mysql ] || has_mysql_headers; then
        install requirements-mysql.txt || [ "$engine" != mysql ] || die "$headers_missing"
    fi
    "$python" -c 'import weasyprint' >/dev/null 2>&1 ||
        die "Pango, which draws the invoices, is missing: apt-get install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0"
    wanted >"$stamp"
fi

if [ "$engine" = mysql ] && ! "$python" -c 'import MySQLdb' >/dev/null 2>&1; then
    install requirements-mysql.txt || die "$headers_missing"
fi

if [ ! -f .env ]; then
    say "Writing .env with fresh secrets …"
    "$python" - <<'EOF'
import os
import secrets
from pathlib import Path

text = Path(".env.example").read_text()
for name in ("SECRET_KEY", "JWT_SIGNING_KEY"):
    text = text.replace(f"{name}=\n", f"{name}={secrets.token_urlsafe(48)}\n")
# Readable by its owner alone from the first byte on.
with os.fdopen(os.open(".env.new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
    file.write(text)
os.replace(".env.new", ".env")
EOF
fi
