"""Is the process alive, and can it do its work? For load balancers and the people on call."""

import os
import uuid

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from foundation.api.schema import PlainSchema
from foundation.ledger import guards

_LIVE = inline_serializer("Live", {"status": serializers.CharField()})
_READY = inline_serializer(
    "Ready", {"status": serializers.CharField(), "checks": serializers.DictField(child=serializers.CharField())}
)


class HealthView(APIView):
    schema = PlainSchema()
    authentication_classes = ()
    permission_classes = (AllowAny,)


class LiveView(HealthView):
    @extend_schema(
        operation_id="health_live",
        summary="Is the process alive?",
        description="Answers without touching anything else: a failure means that the process should be restarted.",
        tags=["Operations"],
        responses={200: OpenApiResponse(_LIVE, examples=[OpenApiExample("alive", value={"status": "ok"})])},
    )
    def get(self, request: Request) -> Response:
        return Response({"status": "ok"})


class ReadyView(HealthView):
    @extend_schema(
        operation_id="health_ready",
        summary="Can it do its work?",
        description=(
            "Checks the database, that no migration is pending, that the ledgers' guards are there, and that "
            "documents can be stored."
        ),
        tags=["Operations"],
        responses={
            200: OpenApiResponse(
                _READY,
                examples=[
                    OpenApiExample(
                        "ready",
                        value={
                            "status": "ok",
                            "checks": dict.fromkeys(("database", "migrations", "guards", "storage"), "ok"),
                        },
                    )
                ],
            ),
            503: OpenApiResponse(
                _READY,
                description="At least one check fails; the others are told as well.",
                examples=[
                    OpenApiExample(
                        "not ready",
                        value={
                            "status": "unavailable",
                            "checks": {
                                "database": "ok",
                                "migrations": "ok",
                                "guards": "ok",
                                "storage": "failed",
                            },
                        },
                        status_codes=["503"],
                    )
                ],
            ),
        },
    )
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
