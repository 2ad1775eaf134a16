"""What the API's schema says of the audit log."""

from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_view

_EXAMPLE = OpenApiExample(
    "a confirmed load",
    value={
        "id": 4711,
        "at": "2026-01-20T09:12:44.120000+08:00",
        "action": "distribution.confirmed",
        "entity_type": "distribution.distribution",
        "entity_id": 12,
        "user": 7,
        "user_name": "driver1",
        "depot": 1,
        "before": {"status": "DRAFT"},
        "after": {"status": "CONFIRMED"},
        "reason": "",
        "ip_address": "203.0.113.9",
        "request_id": "6f1c1f0a7a5b4d0c8f0e9b1f3f6f2a77",
    },
    response_only=True,
)

_CONFIRMED = OpenApiExample(
    "a quantity",
    value={
        "id": 31,
        "code": "quantity_unlikely",
        "attr": "items.0.quantity",
        "value": "60",
        "detail": "60 × CYL-14-POL are more than 50 in one line.",
        "entity_type": "transactions.transaction",
        "entity_id": 501,
        "about": "TRX-20260302-000014",
        "user": 7,
        "user_name": "Tan Ah Beng",
        "confirmed_by": 7,
        "confirmed_by_name": "Tan Ah Beng",
        "depot": 1,
        "at": "2026-01-20T18:02:11+08:00",
    },
    response_only=True,
    status_codes=["200"],
)

confirmations = extend_schema_view(
    list=extend_schema(
        summary="List what was unlikely and recorded all the same",
        description="Newest first: what was asked, for which value, and who confirmed it; `confirmed_by` null: nobody, "
        "it had happened already. An ADMIN and an AUDITOR read all, a SUPERVISOR those of their depot, others what "
        "they recorded.",
        tags=["Audit"],
        examples=[_CONFIRMED],
    ),
    retrieve=extend_schema(summary="Read a confirmation", tags=["Audit"], examples=[_CONFIRMED]),
)

audit_log = extend_schema_view(
    list=extend_schema(
        summary="List audit records",
        description="Newest first, by cursor. ADMIN, ACCOUNTS and AUDITOR read all, a SUPERVISOR those of their own "
        "depot's users.",
        tags=["Audit"],
        examples=[_EXAMPLE],
    ),
    retrieve=extend_schema(summary="Read an audit record", tags=["Audit"], examples=[_EXAMPLE]),
)
