"""The application at a moment of our own choosing, so that a day's work is the same whenever and wherever it is made.

``gunicorn tests.upgrade.frozen:application``: each request says in X-Clock when it comes in.
``python -m tests.upgrade.frozen MOMENT COMMAND …``: a management command at a moment.
"""

import os
import sys
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

import time_machine
from django.core.management import execute_from_command_line
from django.core.wsgi import get_wsgi_application

from tests.types import Json

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "core.settings")
_application = get_wsgi_application()


def at(moment: str) -> Any:
    return time_machine.travel(datetime.fromisoformat(moment), tick=False)


def application(environ: Json, start_response: Callable[..., Any]) -> Iterable[bytes]:
    moment = environ.get("HTTP_X_CLOCK")
    if moment is None:  # whether it lives may be asked at any time
        return _application(environ, start_response)
    with at(moment):
        return list(_application(environ, start_response))


if __name__ == "__main__":
    with at(sys.argv[1]):
        execute_from_command_line(["manage.py", *sys.argv[2:]])
