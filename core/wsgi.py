"""WSGI entry point: the application, with everything loaded that its first requests need.

Where gunicorn preloads it (gunicorn.conf.py), that happens once, before its workers are forked: they share the memory,
and the first sale of a worker costs what every other one does.
"""

import gc
import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "core.settings")
try:
    application = get_wsgi_application()

    import core.urls as core_urls  # needs the settings
    from invoices import rendering
except ImproperlyConfigured as error:
    sys.exit(f"The application can't start: {error}")

__all__ = ["application", "core_urls"]

rendering.warm_up()
# What is here stays: the collector needn't look at it again, and the memory that workers share isn't written to.
gc.collect()
gc.freeze()
# A sale makes a hundred thousand objects that live until its page is written: ten looks at the young among them instead
# of a hundred save three per cent of its processor time, and a worker's memory stays the same.
gc.set_threshold(20_000)
