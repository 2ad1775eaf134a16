#!/bin/sh
# Sets up, migrates, loads the demo data into an empty database (DEBUG only), serves, and sends what is queued.
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh

port=${PORT:-8000}
sh scripts/setup.sh
python=.venv/bin/python

# One process for all of it: starting Django for each command would double a warm start.
"$python" - "$port" <<'EOT'
import os
import socket
import sys

port = sys.argv[1]
try:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", int(port)))
except (ValueError, OverflowError):
    sys.exit(f"PORT={port} is no port number.")
except PermissionError:
    sys.exit(f"Port {port} is not open to this user. Choose another one: PORT=8080 make run")
except OSError:
    sys.exit(f"Port {port} is taken. Choose another one: PORT=8080 make run")

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "core.settings")
import decouple
import django
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.db import OperationalError

try:
    django.setup()
except (ImproperlyConfigured, decouple.UndefinedValueError, ValueError) as error:
    sys.exit(f"The settings (.env) are not right: {error}")
print("Preparing the database …", flush=True)
try:
    call_command("migrate", verbosity=0)
    call_command("createcachetable", verbosity=0)
    if settings.DEBUG:
        call_command("seed_demo", "--if-empty")
        print()
        call_command("seed_demo", "--logins")
except OperationalError as error:
    sys.exit(f"The database (DB_* in .env) does not answer: {error}")
EOT

cat <<EOT

  Field API   http://127.0.0.1:$port/api/  (POST /api/token/ logs in)
  Swagger UI  http://127.0.0.1:$port/api/schema/swagger-ui/
  Redoc       http://127.0.0.1:$port/api/schema/redoc/
  Office      http://127.0.0.1:$port/admin/

EOT
exec "$python" - "$port" <<'EOT'
import signal
import subprocess
import sys

from gunicorn.app.base import BaseApplication

port = sys.argv[1]


def when_ready(server):
    print(f"Serving on http://127.0.0.1:{port} (Ctrl-C ends it)", flush=True)


def on_exit(server):
    mailer.terminate()
    mailer.wait()


def post_worker_init(worker):
    # Ctrl-C reaches the workers too, and the arbiter's own signal right behind it: both at once lock a worker
    # up (1 of 40), for its thread pool is closed within itself. So only the arbiter hears Ctrl-C.
    signal.signal(signal.SIGINT, signal.SIG_IGN)


class Server(BaseApplication):
    def load_config(self):
        options = {
            "bind": f"127.0.0.1:{port}",
            "workers": 2,
            "threads": 4,
            "loglevel": "warning",
            "graceful_timeout": 10,
            # It would lie in the user's home, one for all servers.
            "control_socket_disable": True,
            "when_ready": when_ready,
            "on_exit": on_exit,
            "post_worker_init": post_worker_init,
        }
        for name, value in options.items():
            self.cfg.set(name, value)

    def load(self):
        from core.wsgi import application

        return application


# In a session of its own: Ctrl-C is for the server, which ends it.
mailer = subprocess.Popen(
    [sys.executable, "manage.py", "db_worker", "--no-reload", "--verbosity", "0"], start_new_session=True
)
Server().run()
EOT
