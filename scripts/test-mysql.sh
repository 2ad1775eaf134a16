#!/bin/sh
# Runs the tests on MariaDB: on the server that DB_HOST in the environment names (its DB_USER needs CREATE USER, and
# all rights on test_% with GRANT OPTION), else on a private one, started on a free loopback port with a data
# directory of its own, and stopped and removed afterwards. Arguments go to pytest.
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh

need_mariadb test-mysql
export DB_ENGINE=mysql
sh scripts/setup.sh requirements-dev.txt
. scripts/test-environment.sh
python=.venv/bin/python

connect='
import os, MySQLdb
connection = MySQLdb.connect(
    host=os.environ["DB_HOST"], port=int(os.environ["DB_PORT"]), user=os.environ["DB_USER"], passwd=os.environ["DB_PASSWORD"]
)
print(connection.get_server_info())'

server=
folder=
finish() {
    status=$?
    trap '' INT TERM HUP
    trap - EXIT
    if [ -n "$server" ]; then
        kill "$server" 2>/dev/null || true
        wait "$server" 2>/dev/null || true
    fi
    [ -z "$folder" ] || rm -rf "$folder"
    exit "$status"
}
trap finish EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

start_server() {
    say "Starting a private MariaDB server …"
    folder=$(mktemp -d -p "$(roomy_folder)")
    as_user=
    if [ "$(id -u)" = 0 ]; then
        # The server refuses to run as root.
        if id mysql >/dev/null 2>&1; then user=mysql; else user=nobody; fi
        as_user=--user=$user
        chown "$user" "$folder"
    fi
    DB_HOST=127.0.0.1
    DB_PORT=$("$python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    DB_USER=hsh_test
    DB_PASSWORD=$("$python" -c 'import secrets; print(secrets.token_hex(16))')
    export DB_HOST DB_PORT DB_USER DB_PASSWORD
    # shellcheck disable=SC2086 # nothing or one option
    mariadb-install-db --no-defaults $as_user --datadir="$folder/data" --auth-root-authentication-method=normal \
        --skip-test-db >"$folder/install.log" 2>&1 || die "mariadb-install-db failed: $(grep -m 1 -i error "$folder/install.log")"
    cat >"$folder/init.sql" <<EOT
CREATE USER '$DB_USER'@'127.0.0.1' IDENTIFIED BY '$DB_PASSWORD', '$DB_USER'@'localhost' IDENTIFIED BY '$DB_PASSWORD';
GRANT ALL ON \`test\_%\`.* TO '$DB_USER'@'127.0.0.1', '$DB_USER'@'localhost' WITH GRANT OPTION;
GRANT CREATE USER ON *.* TO '$DB_USER'@'127.0.0.1', '$DB_USER'@'localhost';
DROP USER IF EXISTS 'root'@'localhost', 'root'@'127.0.0.1', 'root'@'::1';
EOT
    # As it comes: InnoDB writes every commit through to the disk.
    # shellcheck disable=SC2086
    mariadbd --no-defaults $as_user --datadir="$folder/data" --tmpdir="$folder" --bind-address=127.0.0.1 \
        --port="$DB_PORT" --socket="$folder/socket" --pid-file="$folder/pid" --init-file="$folder/init.sql" \
        --character-set-server=utf8mb4 --max-connections=300 >"$folder/server.log" 2>&1 &
    server=$!
    tries=0
    until "$python" -c "$connect" >/dev/null 2>&1; do
        tries=$((tries + 1))
        kill -0 "$server" 2>/dev/null || die "The server ended: $(grep ERROR "$folder/server.log" | tail -n 1)"
        [ "$tries" -lt 120 ] || die "The server did not answer within a minute: $(tail -n 1 "$folder/server.log")"
        sleep 0.5
    done
}

if [ -n "${DB_HOST:-}" ]; then
    export DB_PORT="${DB_PORT:-3306}" DB_USER="${DB_USER:-root}" DB_PASSWORD="${DB_PASSWORD:-}"
else
    start_server
fi
export DB_NAME=hsh_lpg # tests run in test_hsh_lpg

version=$("$python" -c "$connect") || die "The server at $DB_HOST:$DB_PORT refuses $DB_USER."
say "Running the tests on $version …"
"$python" -m pytest --numprocesses auto --dist loadgroup --ignore tests/browser "$@" || die "Tests failed on $version."
say "The tests passed on $version."
