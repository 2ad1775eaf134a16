#!/bin/sh
# Gets what is needed of the system (see scripts/lib.sh), makes .venv with the pinned requirements and .env with fresh
# secrets. Safe to repeat and to interrupt; quick when there is nothing to do. Usage: setup.sh [requirements file]
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

# Why pip failed, in one line. Where it reached no index it ends by saying that there is no such version.
pip_reason() {
    if grep -q 'from versions: none' var/pip.log; then
        sed -n -e "s/.*connection broken by '\(.*\)': .*/The package index can't be reached: \1/p" \
            -e 's/^WARNING: \(Could not fetch URL.*\|.* is not a trusted .*\)/\1/p' var/pip.log | sed 's/<[^>]*>: //' | tail -n 1
    fi | grep . || grep '^ *ERROR' var/pip.log | tail -n 1 | grep . || tail -n 1 var/pip.log
}

install_or_say_why() { install "$1" || die "$1 could not be installed (var/pip.log tells more). $(pip_reason)"; }

has_mysqlclient() { "$python" -c 'import MySQLdb' >/dev/null 2>&1; }

can_compile_mysqlclient() (
    missing_mysqlclient
    [ -z "$missing" ]
)

sound=
! is_sound || sound=yes
engine=$(setting DB_ENGINE)
[ -n "$sound" ] || missing_python
missing_pango
[ "$engine" != mysql ] || has_mysqlclient || missing_mysqlclient
install_missing "the set-up"

if [ -z "$sound" ]; then
    found=$(find_python) || die "$PYTHON_NEEDED"
    say "Making .venv with Python $(python_version "$found") …"
    rm -f "$mark"
    rm -rf .venv
    "$found" -m venv .venv >var/pip.log 2>&1 || die ".venv could not be made: $(tail -n 1 var/pip.log)"
    made_for >"$mark"
fi

if [ ! -f "$stamp" ] || [ "$(cat "$stamp")" != "$(wanted)" ]; then
    rm -f "$stamp"
    say "Installing $requirements …"
    install_or_say_why "$requirements"
    if [ "$engine" = mysql ]; then
        install_or_say_why requirements-mysql.txt
    elif can_compile_mysqlclient; then
        install requirements-mysql.txt || true # SQLite does without
    fi
    "$python" -c 'import weasyprint' >var/pip.log 2>&1 ||
        die "Pango ($PANGO), which draws the invoices, can't be loaded: $(tail -n 1 var/pip.log)"
    wanted >"$stamp"
fi

if [ "$engine" = mysql ] && ! has_mysqlclient; then
    install_or_say_why requirements-mysql.txt
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
