"""How the API describes itself: every operation with its errors, in the one error shape."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from drf_standardized_errors.openapi import AutoSchema
from rest_framework import serializers

from core.errors import Conflict

CLIENT_ERROR = "client_error"
ERROR_TYPES = ["validation_error", CLIENT_ERROR, "server_error"]


class ErrorSerializer(serializers.Serializer[Any]):
    code = serializers.CharField(help_text="Stable: programs may rely on it.")
    detail = serializers.CharField(help_text="A sentence for a person.")
    attr = serializers.CharField(allow_null=True, help_text="The input field that it concerns: items.0.quantity.")


class ErrorsSerializer(serializers.Serializer[Any]):
    """The one shape of all errors."""

    type = serializers.ChoiceField(choices=ERROR_TYPES)
    errors = ErrorSerializer(many=True)  # type: ignore[assignment]


def conflicts(*errors: type[Conflict]) -> dict[int, OpenApiResponse]:
    """The 409 answer of an operation, with an example for each domain error that it can give."""
    return {
        409: OpenApiResponse(
            ErrorsSerializer,
            description="The state of the world refuses it: " + ", ".join(f"`{error.code}`" for error in errors),
            examples=[
                OpenApiExample(
                    error.code,
                    value={
                        "type": CLIENT_ERROR,
                        "errors": [{"code": error.code, "detail": (error.__doc__ or error.code).strip(), "attr": None}],
                    },
                    response_only=True,
                    status_codes=["409"],
                )
                for error in errors
            ],
        )
    }


class Schema(AutoSchema):
    """drf-standardized-errors' schema; 503 stands at what writes, 413 at what has a body, ids are integers."""

    def _resolve_path_parameters(self, variables: list[str]) -> list[dict[str, Any]]:
        parameters: list[dict[str, Any]] = super()._resolve_path_parameters(variables)  # type: ignore[no-untyped-call]
        for parameter in parameters:
            if parameter["name"] == "id":
                parameter["schema"] = {"type": "integer", "minimum": 1}
        return parameters

    def _should_add_error_response(self, responses: dict[str, Any], status_code: str) -> bool:
        if status_code == "413":
            return self.method in ("POST", "PUT", "PATCH")
        if status_code == "503":
            return self.method in ("POST", "PUT", "PATCH", "DELETE")
        return bool(super()._should_add_error_response(responses, status_code))


def master_data(
    *, one: str, many: str, example: dict[str, Any], patch: dict[str, Any] | None = None, **extra: Any
) -> dict[str, Any]:
    """The words and examples of the six operations of a `MasterDataViewSet`."""
    noun = one.split(" ", 1)[1]
    answer = OpenApiExample(noun, value=example, response_only=True, status_codes=["200", "201"])
    sent = {name: value for name, value in example.items() if name not in ("id", "version", "created_at", "updated_at")}
    body = OpenApiExample(noun, value=sent, request_only=True)
    change = OpenApiExample("one field", value=patch or {"name": example["name"]}, request_only=True)
    everybody, admins = "Every role may read.", "ADMIN only."
    return {
        "list": extend_schema(summary=f"List {many}", description=everybody, tags=["Master data"], examples=[answer]),
        "retrieve": extend_schema(
            summary=f"Read {one}", description=everybody, tags=["Master data"], examples=[answer]
        ),
        "create": extend_schema(
            summary=f"Add {one}", description=admins, tags=["Master data"], examples=[body, answer]
        ),
        "update": extend_schema(
            summary=f"Replace {one}", description=admins, tags=["Master data"], examples=[body, answer], **extra
        ),
        "partial_update": extend_schema(
            summary=f"Change {one}", description=admins, tags=["Master data"], examples=[change, answer], **extra
        ),
        "destroy": extend_schema(
            summary=f"Deactivate {one}",
            description=f"{admins} Nothing is deleted: an inactive {noun} can't enter new business and stays readable.",
            tags=["Master data"],
        ),
    }


def replayable(serializer: type[serializers.BaseSerializer[Any]]) -> dict[int, OpenApiResponse]:
    """The answers of a create that is safe to send again."""
    return {
        201: OpenApiResponse(serializer, description="Recorded."),
        200: OpenApiResponse(
            serializer,
            description="The same operation was recorded before (`Idempotent-Replayed: true`); nothing happened now.",
        ),
    }
