#!/bin/sh
# Runs the tests on MariaDB: on the server that DB_HOST names, else on a private one that is started on a free
# loopback port with a data directory of its own, and stopped and removed afterwards.
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh

install_packages() {
    say "Installing Debian's $* …"
    [ "$(id -u)" = 0 ] || die "Missing: $*. Install them first: apt-get install $*"
    {
        apt-get update -qq
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@"
    } >/dev/null 2>&1 || die "Debian's packages could not be installed: $*"
}

missing=
command -v pkg-config >/dev/null 2>&1 || missing="$missing pkg-config"
command -v cc >/dev/null 2>&1 || missing="$missing gcc"
pkg-config --exists libmariadb 2>/dev/null || missing="$missing libmariadb-dev"
if [ -z "${DB_HOST:-}" ] && ! command -v mariadbd >/dev/null 2>&1; then missing="$missing mariadb-server"; fi
# shellcheck disable=SC2086 # a list of package names
[ -z "$missing" ] || install_packages $missing

DB_ENGINE=mysql
export DB_ENGINE
sh scripts/setup.sh requirements-dev.txt
python=.venv/bin/python

server=
folder=
finish() {
    status=$?
    trap - EXIT INT TERM
    if [ -n "$server" ]; then
        kill "$server" 2>/dev/null || true
        wait "$server" 2>/dev/null || true
    fi
    [ -z "$folder" ] || rm -rf "$folder"
    exit "$status"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

. scripts/test-environment.sh
if [ -z "${DB_HOST:-}" ]; then
    folder=$(mktemp -d)
    chmod 755 "$folder"
    as_user=
    if [ "$(id -u)" = 0 ]; then
        as_user=--user=mysql
        chown mysql "$folder"
    fi
    DB_HOST=127.0.0.1
    DB_PORT=$("$python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    DB_USER=hsh_test
    DB_PASSWORD=$("$python" -c 'import secrets; print(secrets.token_hex(16))')
    DB_NAME=hsh_lpg
    export DB_HOST DB_PORT DB_USER DB_PASSWORD DB_NAME
    say "Starting a private MariaDB server on port $DB_PORT …"
    # shellcheck disable=SC2086 # empty or one option
    mariadb-install-db --no-defaults $as_user --datadir="$folder/data" --auth-root-authentication-method=normal \
        --skip-test-db >"$folder/install.log" 2>&1 || die "mariadb-install-db failed: $(tail -n 3 "$folder/install.log")"
    cat >"$folder/init.sql" <<EOF
CREATE USER '$DB_USER'@'127.0.0.1' IDENTIFIED BY '$DB_PASSWORD';
CREATE USER '$DB_USER'@'localhost' IDENTIFIED BY '$DB_PASSWORD';
GRANT ALL ON \`hsh\_lpg%\`.* TO '$DB_USER'@'127.0.0.1', '$DB_USER'@'localhost';
GRANT ALL ON \`test\_%\`.* TO '$DB_USER'@'127.0.0.1', '$DB_USER'@'localhost';
EOF
    chmod 644 "$folder/init.sql"
    # shellcheck disable=SC2086
    mariadbd --no-defaults $as_user --datadir="$folder/data" --bind-address=127.0.0.1 --port="$DB_PORT" \
        --socket="$folder/socket" --pid-file="$folder/pid" --init-file="$folder/init.sql" \
        --character-set-server=utf8mb4 --max-connections=300 >"$folder/server.log" 2>&1 &
    server=$!
    tries=0
    until "$python" - 2>/dev/null <<'EOF'
import os
import MySQLdb
MySQLdb.connect(host=os.environ["DB_HOST"], port=int(os.environ["DB_PORT"]), user=os.environ["DB_USER"],
                passwd=os.environ["DB_PASSWORD"]).close()
EOF
    do
        tries=$((tries + 1))
        kill -0 "$server" 2>/dev/null || die "The server ended: $(tail -n 3 "$folder/server.log")"
        [ "$tries" -lt 120 ] || die "The server did not answer within a minute: $(tail -n 3 "$folder/server.log")"
        sleep 0.5
    done
fi

say "Running the tests on $("$python" -c '
import os, MySQLdb
connection = MySQLdb.connect(host=os.environ["DB_HOST"], port=int(os.environ.get("DB_PORT", 3306)),
                             user=os.environ["DB_USER"], passwd=os.environ["DB_PASSWORD"])
print(connection.get_server_info())') …"
"$python" -m pytest --numprocesses auto "$@"
say "The tests passed on MariaDB."
