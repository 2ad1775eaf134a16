"""How the application is served: `gunicorn`, in the project's folder, behind a proxy that ends TLS.

Read by gunicorn by itself. What differs between machines comes from its environment: GUNICORN_CMD_ARGS="--bind …", and
WEB_CONCURRENCY for the number of workers.
"""

import multiprocessing
import os
import shutil
import signal
import sys
import tempfile

wsgi_app = "core.wsgi"
bind = "127.0.0.1:8000"
workers = int(os.environ.get("WEB_CONCURRENCY") or multiprocessing.cpu_count())
# More sales than processors may be under way: while one waits for the database's disk, another one's page is laid out.
# And some threads wait for the earlier pages of their own users.
threads = 8
# The application is loaded once, and a worker that dies is replaced at once (see core/wsgi.py).
preload_app = True
loglevel = "warning"
# It would lie in the user's home, one for all servers.
control_socket_disable = True


# The workers count for /metrics in files of their own, those of a worker that ended included.
_own_metrics = "" if os.environ.get("PROMETHEUS_MULTIPROC_DIR") else tempfile.mkdtemp(prefix="hsh-metrics-")
if _own_metrics:
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = _own_metrics


# And here they see to it that no user's pages take more than one processor.
_turns = os.environ["USER_TURNS_FOLDER"] = tempfile.mkdtemp(prefix="hsh-turns-")


def on_exit(server: object) -> None:
    if _own_metrics:
        shutil.rmtree(_own_metrics, ignore_errors=True)
    shutil.rmtree(_turns, ignore_errors=True)


def post_worker_init(worker: object) -> None:
    # A thread that comes back from the database waits so long for the one that lays a page out (Python's own: 5 ms).
    sys.setswitchinterval(0.0005)
    # Ctrl-C reaches the workers too, and the arbiter's own signal right behind it: both at once lock a worker
    # up (1 of 40), for its thread pool is closed within itself. So only the arbiter hears Ctrl-C.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
