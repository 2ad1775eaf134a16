#!/bin/sh
# Sets up, migrates, loads the demo data into an empty database, and serves.
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh

port=${PORT:-8000}
sh scripts/setup.sh
python=.venv/bin/python
"$python" - "$port" <<'EOF' || die "Port $port is taken. Choose another one: PORT=8080 make run"
import socket, sys
with socket.socket() as probe:
    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        probe.bind(("127.0.0.1", int(sys.argv[1])))
    except (OSError, ValueError, OverflowError):
        sys.exit(1)
EOF
say "Preparing the database …"
"$python" manage.py migrate --verbosity 0
"$python" manage.py createcachetable
if [ "$(setting DEBUG)" = True ]; then
    "$python" manage.py seed_demo --if-empty
fi

cat <<EOF

  API         http://127.0.0.1:$port/api/
  Swagger UI  http://127.0.0.1:$port/api/schema/swagger-ui/
  Redoc       http://127.0.0.1:$port/api/schema/redoc/
  Office      http://127.0.0.1:$port/admin/

EOF
if [ "$(setting DEBUG)" = True ]; then
    "$python" manage.py seed_demo --logins
fi
say "Serving on http://127.0.0.1:$port (Ctrl-C ends it)"
exec "$python" -m gunicorn core.wsgi --bind "127.0.0.1:$port" --workers 2 --threads 4 --log-level warning
