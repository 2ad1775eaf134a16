# shellcheck shell=sh
# What the scripts share. Source it from the project's root.

say() { printf '%s\n' "$*"; }

die() {
    printf '%s\n' "$*" >&2
    exit 1
}

# A Python that runs, is new enough, and can make a working virtual environment. pyenv's shims are found by
# name and yet fail, so a candidate is executed: finding its name proves nothing.
usable() {
    "$1" -c '
import sqlite3, sys, venv, ensurepip
sys.exit(not (sys.version_info >= (3, 12) and sqlite3.sqlite_version_info >= (3, 37)))' >/dev/null 2>&1
}

find_python() {
    pyenv_root=${PYENV_ROOT:-}
    if [ -z "$pyenv_root" ] && command -v pyenv >/dev/null 2>&1; then
        pyenv_root=$(pyenv root 2>/dev/null) || pyenv_root=
    fi
    home=${HOME:-/nonexistent}
    # A shim on PATH betrays pyenv's folder also where HOME doesn't.
    shim=$(command -v python3 2>/dev/null) || shim=
    case $shim in */shims/python3) [ -d "$pyenv_root/versions" ] || pyenv_root=${shim%/shims/python3} ;; esac
    for version in 3.14 3.13 3.12; do
        for candidate in "python$version" \
            "$pyenv_root"/versions/"$version".*/bin/python3 \
            "$home"/.pyenv/versions/"$version".*/bin/python3 \
            "${UV_PYTHON_INSTALL_DIR:-$home/.local/share/uv/python}"/cpython-"$version".*/bin/python3 \
            "/usr/local/bin/python$version" "/opt/python/$version/bin/python3"; do
            if usable "$candidate"; then
                printf '%s\n' "$candidate"
                return 0
            fi
        done
    done
    for candidate in python3 python; do
        if usable "$candidate"; then
            printf '%s\n' "$candidate"
            return 0
        fi
    done
    return 1
}

# The value of a setting: from the environment, else from .env.
setting() {
    eval "value=\${$1:-}"
    # shellcheck disable=SC2154 # set by the eval above
    if [ -z "$value" ] && [ -f .env ]; then
        value=$(sed -n "s/^$1=//p" .env | tail -n 1)
    fi
    printf '%s\n' "$value"
}
