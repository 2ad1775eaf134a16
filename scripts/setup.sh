#!/bin/sh
# Makes .venv with the pinned requirements and .env with fresh secrets. Safe to repeat and to interrupt; quick
# when there is nothing to do. Usage: setup.sh [requirements file]
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh

requirements=${1:-requirements.txt}
python=.venv/bin/python
mark=.venv/.made-for
stamp=.venv/.set-up-$(basename "$requirements" .txt)

# Two set-ups at once (make run beside make test) take turns.
mkdir -p var
if command -v flock >/dev/null 2>&1; then
    exec 9>var/.set-up.lock
    flock 9
fi

# A sound .venv bears a mark: the Python it has and the folder it is in, which its programs name. The mark is
# taken off while something is being installed, so that after an interruption all is made anew.
made_for() { version=$(python_version "$python") && printf '%s %s\n' "$version" "$(pwd -P)"; }
is_sound() { [ -f "$mark" ] && made=$(made_for) && [ "$made" = "$(cat "$mark")" ]; }

wanted() { cat requirements.txt "$requirements" requirements-mysql.txt | cksum; }

# pip's talk is kept for when it is needed.
install() {
    rm -f "$mark"
    status=0
    "$python" -m pip install --quiet --disable-pip-version-check --no-input -r "$1" >var/pip.log 2>&1 || status=$?
    [ "$status" -gt 128 ] || made_for >"$mark"
    return "$status"
}

can_compile_mysqlclient() {
    command -v gcc >/dev/null 2>&1 && command -v pkg-config >/dev/null 2>&1 &&
        { pkg-config --exists libmariadb || pkg-config --exists mysqlclient || pkg-config --exists mariadb; }
}

mysqlclient_failed() {
    if can_compile_mysqlclient; then
        die "mysqlclient could not be installed (var/pip.log tells more): $(grep -i 'error' var/pip.log | tail -n 1)"
    fi
    die "DB_ENGINE=mysql needs mysqlclient's headers. Install them: apt-get install libmariadb-dev pkg-config gcc python3-dev"
}

if ! is_sound; then
    found=$(find_python) ||
        die "No Python 3.12 or newer with venv was found. Install one: apt-get install python3 python3-venv, or pyenv install 3.13"
    say "Making .venv with Python $(python_version "$found") …"
    rm -f "$mark"
    rm -rf .venv
    "$found" -m venv .venv >var/pip.log 2>&1 || die ".venv could not be made: $(tail -n 1 var/pip.log)"
    made_for >"$mark"
fi

engine=$(setting DB_ENGINE)
if [ ! -f "$stamp" ] || [ "$(cat "$stamp")" != "$(wanted)" ]; then
    rm -f "$stamp"
    say "Installing $requirements …"
    install "$requirements" ||
        die "The requirements could not be installed (var/pip.log tells more): $(grep -i '^error' var/pip.log | tail -n 1)"
    if [ "$engine" = mysql ]; then
        install requirements-mysql.txt || mysqlclient_failed
    elif can_compile_mysqlclient; then
        install requirements-mysql.txt || true # SQLite does without
    fi
    "$python" -c 'import weasyprint' >/dev/null 2>&1 ||
        die "Pango, which draws the invoices, is missing: apt-get install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0"
    wanted >"$stamp"
fi

if [ "$engine" = mysql ] && ! "$python" -c 'import MySQLdb' >/dev/null 2>&1; then
    install requirements-mysql.txt || mysqlclient_failed
fi

if [ ! -f .env ]; then
    say "Writing .env with fresh secrets …"
    "$python" - <<'EOT'
import os
import secrets
from pathlib import Path

text = Path(".env.example").read_text(encoding="utf-8")
for name in ("SECRET_KEY", "JWT_SIGNING_KEY"):
    text = text.replace(f"\n{name}=\n", f"\n{name}={secrets.token_urlsafe(48)}\n")
# Readable by its owner alone from the first byte on, and whole or not there at all.
with os.fdopen(os.open(".env.new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
    file.write(text)
os.replace(".env.new", ".env")
EOT
fi
