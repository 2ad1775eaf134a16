#!/bin/sh
# Sets up, migrates, loads the demo data into an empty database (DEBUG only), serves, and sends what is queued.
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh

port=${PORT:-8000}
sh scripts/setup.sh
python=.venv/bin/python

# One process for all of it: starting Django for each command would double a warm start.
exec "$python" - "$port" <<'EOT'
import fcntl
import os
import socket
import subprocess
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
import django
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.db import DatabaseError, connections
from gunicorn.app.wsgiapp import WSGIApplication

try:
    django.setup()
except ImproperlyConfigured as error:
    sys.exit(str(error))
print("Preparing the database …", flush=True)
try:
    with open("var/.set-up.lock", "a") as turn:  # another make run beside this one
        fcntl.flock(turn, fcntl.LOCK_EX)
        call_command("migrate", verbosity=0)
        if settings.DEBUG:
            call_command("seed_demo", "--if-empty")
            print()
            call_command("seed_demo", "--logins")
except DatabaseError as error:
    sys.exit(f"The database (DB_* in .env) can't be used: {error}")
except KeyboardInterrupt:
    sys.exit(130)
connections.close_all()  # a worker has its own

url = f"http://127.0.0.1:{port}"
print(f"""
  Field app   {url}/app/  (log in as a driver)
  Field API   {url}/api/  (POST /api/token/ logs in)
  Swagger UI  {url}/api/schema/swagger-ui/
  Redoc       {url}/api/schema/redoc/
  Office      {url}/admin/
""", flush=True)


class Server(WSGIApplication):
    """Two workers as gunicorn.conf.py has them, and the worker that sends mail."""

    mailer = clean_up = None

    def load_config(self):
        super().load_config()
        self.clean_up = self.cfg.on_exit
        own = {"bind": f"127.0.0.1:{port}", "workers": 2, "graceful_timeout": 10}
        for name, value in {**own, "when_ready": self.when_ready, "on_exit": self.on_exit}.items():
            self.cfg.set(name, value)

    def when_ready(self, server):
        print(f"Serving on {url} (Ctrl-C ends it)", flush=True)
        # In a session of its own: Ctrl-C is for the server, which ends it.
        self.mailer = subprocess.Popen(
            [sys.executable, "manage.py", "db_worker", "--no-reload", "--verbosity", "0"], start_new_session=True
        )

    def on_exit(self, server):
        if self.mailer:
            self.mailer.terminate()
            self.mailer.wait()
        self.clean_up(server)


sys.argv = ["gunicorn"]
Server("%(prog)s").run()
EOT
