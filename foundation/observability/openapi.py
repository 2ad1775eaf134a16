"""What the API's schema says of the health checks."""

from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema, inline_serializer
from rest_framework import serializers

_LIVE = inline_serializer("Live", {"status": serializers.CharField()})

_READY = inline_serializer(
    "Ready", {"status": serializers.CharField(), "checks": serializers.DictField(child=serializers.CharField())}
)

live = extend_schema(
    operation_id="health_live",
    summary="Is the process alive?",
    description="Answers without touching anything else: a failure means that the process should be restarted.",
    tags=["Operations"],
    responses={200: OpenApiResponse(_LIVE, examples=[OpenApiExample("alive", value={"status": "ok"})])},
)

ready = extend_schema(
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
