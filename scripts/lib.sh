# shellcheck shell=sh
# What the scripts share. Source it from the project's root.

# An ordinary user's PATH on Debian leaves out where servers are.
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

say() { printf '%s\n' "$*"; }

die() {
    printf '%s\n' "$*" >&2
    exit 1
}

# Prints the version of a Python that runs, is new enough, and can make a working virtual environment; else
# fails. A candidate is executed, because pyenv's shims are found by name and yet end with 127.
python_version() {
    "$1" -c '
import sqlite3, sys, venv, ensurepip
if sys.version_info < (3, 12) or sqlite3.sqlite_version_info < (3, 37):
    sys.exit(1)
print("%d.%d" % sys.version_info[:2])' 2>/dev/null
}

# The folders that pyenv and uv may have put Pythons in, one a line. HOME may be empty or somebody else's, so
# that what is on PATH and the user's entry in the system tell more.
python_folders() {
    home=$(getent passwd "$(id -u)" 2>/dev/null | cut -d: -f6) || home=
    printf '%s\n' "${PYENV_ROOT:-}/versions"
    for program in pyenv python3; do
        where=$(command -v "$program" 2>/dev/null) || continue
        case $where in */bin/pyenv | */shims/*) printf '%s\n' "${where%/*/*}/versions" ;; esac
    done
    printf '%s\n' "${UV_PYTHON_INSTALL_DIR:-}" "${XDG_DATA_HOME:-}/uv/python"
    for home in "${HOME:-}" "$home"; do
        printf '%s\n' "$home/.pyenv/versions" "$home/.local/share/uv/python"
    done
    printf '%s\n' /opt/pyenv/versions /usr/local/pyenv/versions
}

find_python() {
    folders=$(python_folders)
    for version in 3.14 3.13 3.12; do
        for candidate in "python$version" "/usr/local/bin/python$version"; do
            if python_version "$candidate" >/dev/null; then
                printf '%s\n' "$candidate"
                return 0
            fi
        done
        while IFS= read -r folder; do
            for candidate in "$folder/$version".*/bin/python3 "$folder/cpython-$version".*/bin/python3; do
                if [ -x "$candidate" ] && python_version "$candidate" >/dev/null; then
                    printf '%s\n' "$candidate"
                    return 0
                fi
            done
        done <<EOT
$folders
EOT
    done
    for candidate in python3 python; do
        if python_version "$candidate" >/dev/null; then
            printf '%s\n' "$candidate"
            return 0
        fi
    done
    return 1
}

# The value of a setting, read as core/settings does: from the environment, else from .env.
setting() {
    if eval "[ -n \"\${$1+set}\" ]"; then
        eval "printf '%s\n' \"\$$1\""
    elif [ -f .env ]; then
        sed -n "s/^[[:space:]]*$1[[:space:]]*=[[:space:]]*//p" .env | tail -n 1 |
            sed -e 's/[[:space:]]*$//' -e 's/^"\(.*\)"$/\1/' -e "s/^'\(.*\)'\$/\1/"
    fi
}

# --- What is needed of the system -----------------------------------------------------------------
# Each missing_* adds to $missing the Debian packages of what isn't there; install_missing gets them.
# Nothing else calls apt-get.

PYTHON_NEEDED="HSH LPG needs Python 3.12 or newer with venv, which was not found and this system doesn't offer. Take Debian 13 or \
Ubuntu 24.04 (or newer), or install one with pyenv (pyenv install 3.13) or uv (uv python install 3.13)."
PANGO="libpango-1.0-0 libpangoft2-1.0-0"
missing=

# Is the Python of this system's archive too old? Of a system that isn't known here: perhaps not.
has_old_python() {
    # shellcheck disable=SC1091 # the system's own
    release=$([ -r /etc/os-release ] && . /etc/os-release && printf '%s\n' "${ID:-} ${VERSION_ID:-}") || return 1
    case $release in
        "debian "[1-9] | "debian 1"[0-2] | "ubuntu "1* | "ubuntu 2"[0-3].*) ;;
        *) return 1 ;;
    esac
}

missing_python() {
    find_python >/dev/null && return 0
    { command -v apt-get >/dev/null 2>&1 && ! has_old_python; } || die "$PYTHON_NEEDED"
    missing="$missing python3 python3-venv"
}

# Pango draws the invoices. Where there is no apt-get, WeasyPrint finds out whether it is there (scripts/setup.sh).
missing_pango() {
    command -v apt-get >/dev/null 2>&1 || return 0
    libraries=$(ldconfig -p)
    for library in libpango-1.0.so.0 libpangoft2-1.0.so.0; do
        case $libraries in
            *"$library"*) ;;
            *)
                missing="$missing $PANGO"
                return 0
                ;;
        esac
    done
}

# Where a test's database lies best: in memory, where there is enough of it.
roomy_folder() {
    if [ -w /dev/shm ] && [ "$(df -Pk /dev/shm | awk 'NR == 2 { print $4 }')" -gt 2097152 ]; then
        printf '%s\n' /dev/shm
    else
        printf '%s\n' "${TMPDIR:-/tmp}"
    fi
}

has_python_headers() {
    "$1" -c 'import os, sys, sysconfig; sys.exit(not os.path.exists(sysconfig.get_path("include") + "/Python.h"))'
}

# What mysqlclient is compiled with.
missing_mysqlclient() {
    command -v pkg-config >/dev/null 2>&1 || missing="$missing pkg-config"
    command -v gcc >/dev/null 2>&1 || missing="$missing gcc"
    pkg-config --exists libmariadb 2>/dev/null || pkg-config --exists mysqlclient 2>/dev/null || missing="$missing libmariadb-dev"
    { found=$(find_python) && has_python_headers "$found"; } || missing="$missing python3-dev"
}

# MariaDB's programs alone: mariadb-server would also start a server of the system's.
missing_mariadb() {
    command -v mariadbd >/dev/null 2>&1 || missing="$missing mariadb-server-core"
    command -v my_print_defaults >/dev/null 2>&1 || missing="$missing mariadb-client-core"
    command -v mariadb-dump >/dev/null 2>&1 || missing="$missing mariadb-client"
}

# Installs what is $missing for $1: as root, or where sudo asks for no password. Else one line names all of it.
install_missing() {
    [ -n "$missing" ] || return 0
    as_root=
    [ "$(id -u)" = 0 ] || as_root="sudo -n"
    { command -v apt-get && $as_root true; } >/dev/null 2>&1 || die "Missing for $1 (as root): apt-get install$missing"
    mkdir -p var
    say "Installing for $1:$missing …"
    # shellcheck disable=SC2086 # a command and a list of package names
    {
        $as_root apt-get update -qq # where that fails, what was known before may do
        $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends -o DPkg::Lock::Timeout=600 $missing
    } >var/apt.log 2>&1 ||
        die "apt-get install$missing failed (var/apt.log tells more): $(grep '^E:' var/apt.log | head -n 1)"
    missing=
}

has_node() { command -v npm >/dev/null 2>&1 && node -e 'process.exit(parseInt(process.versions.node) >= 20 ? 0 : 1)'; }

# Node and npm, for what is written in TypeScript.
need_npm() {
    has_node || missing="$missing nodejs npm"
    install_missing "make $1"
    has_node || die "make $1 needs Node 20 or newer; found $(node --version)."
}

need_mariadb() {
    missing_python
    missing_pango
    missing_mysqlclient
    missing_mariadb
    install_missing "make $1"
}

need_browser() {
    command -v chromium >/dev/null 2>&1 || missing="$missing chromium"
    need_mariadb "$1"
}

# How MariaDB's programs reach the database of the settings. Without DB_SSL_CA they must not ask who vouches for the
# server: MySQL makes a certificate for itself, and newer programs than 11.4 refuse such a one.
database_options() {
    ca=$(setting DB_SSL_CA)
    printf '%s\n' --no-defaults "--host=$(setting DB_HOST)" "--port=$(setting DB_PORT)" "--user=$(setting DB_USER)"
    if [ -n "$ca" ]; then
        printf '%s\n' "--ssl-ca=$ca" --ssl-verify-server-cert
    else
        printf '%s\n' --skip-ssl-verify-server-cert
    fi
}

# The Python that has the requirements: the checkout's own, else the one on PATH (in the image).
python_here() { if [ -x .venv/bin/python ]; then printf '%s\n' .venv/bin/python; else command -v python; fi; }
