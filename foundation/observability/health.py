"""Is the process alive, and can it do its work? For load balancers and the people on call."""

import os
import uuid

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from foundation.api.schema import PlainSchema
from foundation.ledger import guards
from foundation.observability import openapi


class HealthView(APIView):
    schema = PlainSchema()
    authentication_classes = ()
    permission_classes = (AllowAny,)


class LiveView(HealthView):
    @openapi.live
    def get(self, request: Request) -> Response:
        return Response({"status": "ok"})


class ReadyView(HealthView):
    @openapi.ready
    def get(self, request: Request) -> Response:
        checks = {
            "database": _database(),
            "migrations": _migrations(),
            "guards": _guards(),
            "storage": _storage(),
        }
        ready = all(state == "ok" for state in checks.values())
        return Response({"status": "ok" if ready else "unavailable", "checks": checks}, status=200 if ready else 503)


def _database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return "failed"
    return "ok"


def pending_migrations() -> int:
    executor = MigrationExecutor(connection)
    return len(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def _migrations() -> str:
    try:
        return "pending" if pending_migrations() else "ok"
    except DatabaseError:
        return "failed"


def _guards() -> str:
    try:
        return "missing" if guards.missing() else "ok"
    except DatabaseError:
        return "failed"


def _storage() -> str:
    try:
        probe = default_storage.save(f".ready-{uuid.uuid4().hex}", ContentFile(os.urandom(16)))
        default_storage.delete(probe)
    except OSError:
        return "failed"
    return "ok"
