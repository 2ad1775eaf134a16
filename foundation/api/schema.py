"""How the API describes itself: every operation with its errors, in the one error shape."""

from collections.abc import Sequence
from typing import Any

from drf_spectacular.extensions import OpenApiSerializerExtension
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema
from drf_standardized_errors.openapi import AutoSchema
from rest_framework import serializers

from foundation.api.confirm import CONFIRM_IN_BODY, MayAsk, question_schema
from foundation.api.once import HEADER, HappensOnce
from foundation.api.responses import RemainingOut
from foundation.confirmations import Question
from foundation.errors import Conflict
from foundation.operations.idempotency import IdempotencyConflict
from foundation.spreadsheets.writing import CSV, XLSX
from foundation.unreadable import UnreadableRecord

CLIENT_ERROR = "client_error"
ERROR_TYPES = ["validation_error", CLIENT_ERROR, "server_error"]


class ErrorSerializer(serializers.Serializer[None]):
    code = serializers.CharField(help_text="Stable: programs may rely on it.")
    detail = serializers.CharField(help_text="A sentence for a person.")
    attr = serializers.CharField(allow_null=True, help_text="The input field that it concerns: items.0.quantity.")
    value = serializers.CharField(required=False, help_text="Of a question: what was seen.")
    confirmable = serializers.BooleanField(required=False, help_text="Whether it is a question, and may be confirmed.")


class ErrorsSerializer(serializers.Serializer[None]):
    """The one shape of all errors."""

    type = serializers.ChoiceField(choices=ERROR_TYPES)
    errors = ErrorSerializer(many=True)  # type: ignore[assignment]  # a field, not this serializer's own errors


def errors_of(*codes: str, kind: str = CLIENT_ERROR) -> dict[str, object]:
    """The one shape, with the codes that an answer can have. Whole, because generators don't merge lists by allOf."""
    error = {
        "code": {"type": "string", "enum": list(codes)},
        "detail": {"type": "string"},
        "attr": {"type": ["string", "null"]},
    }
    each = {"type": "object", "properties": error, "required": list(error)}
    shape = {"type": {"const": kind}, "errors": {"type": "array", "items": each}}
    return {"type": "object", "properties": shape, "required": list(shape)}


class Refusal(serializers.Serializer[None]):
    """The one shape with the codes of one status."""

    codes: tuple[str, ...]
    kind = CLIENT_ERROR


class UnauthorizedErrors(Refusal):
    codes = ("not_authenticated", "authentication_failed", "token_not_valid", "user_inactive", "password_changed")


class ForbiddenErrors(Refusal):
    codes = ("permission_denied",)


class UnreadableErrors(Refusal):
    codes = (UnreadableRecord.code,)


class NotFoundErrors(Refusal):
    codes = ("not_found",)


class TooLargeErrors(Refusal):
    codes = ("payload_too_large",)


class ThrottledErrors(Refusal):
    codes = ("throttled",)


class UnavailableErrors(Refusal):
    codes = ("try_again", "storage_unavailable")
    kind = "server_error"


class _RefusalExtension(OpenApiSerializerExtension):  # type: ignore[no-untyped-call]  # it registers itself
    target_class = Refusal
    match_subclasses = True

    def map_serializer(self, auto_schema: object, direction: object) -> dict[str, object]:
        return errors_of(*self.target.codes, kind=self.target.kind)


# Beside an operation's own conflicts. 400 has a code for each way in which a field can be wrong.
_REFUSALS = {
    "401": UnauthorizedErrors,
    "403": ForbiddenErrors,
    "404": NotFoundErrors,
    "409": UnreadableErrors,
    "413": TooLargeErrors,
    "429": ThrottledErrors,
    "503": UnavailableErrors,
}


def error_example(name: str, status: str, kind: str, code: str, detail: str, attr: str | None = None) -> OpenApiExample:
    value = {"type": kind, "errors": [{"code": code, "detail": detail, "attr": attr}]}
    return OpenApiExample(name, value=value, response_only=True, status_codes=[status])


_EXAMPLES = [
    error_example("InvalidInput", "400", "validation_error", "invalid", "A valid number is required.", "a_field"),
    error_example("TooLarge", "413", CLIENT_ERROR, "payload_too_large", "The request's body is too large."),
    error_example("Unreadable", "409", CLIENT_ERROR, "unreadable_record", str(UnreadableRecord.__doc__)),
    error_example("TryAgain", "503", "server_error", "try_again", "The server is busy. Please try again."),
]


def conflicts(*errors: type[Conflict]) -> dict[int, OpenApiResponse]:
    """The 409 answer of an operation, with an example for each domain error that it can give."""
    errors = (*errors, UnreadableRecord)
    return {
        409: OpenApiResponse(
            errors_of(*dict.fromkeys(code for error in errors for code in getattr(error, "codes", (error.code,)))),
            description="The state of the world refuses it: " + ", ".join(f"`{error.code}`" for error in errors),
            examples=[
                error_example(error.code, "409", CLIENT_ERROR, error.code, (error.__doc__ or error.code).strip())
                for error in errors
            ],
        )
    }


def unauthorized(code: str, detail: str) -> dict[int, OpenApiResponse]:
    """The 401 answer of an operation that takes no access token: of a log-in, of what a refresh token is sent to."""
    return {401: OpenApiResponse(errors_of(code), examples=[error_example(code, "401", CLIENT_ERROR, code, detail)])}


def _asked(question: type[Question]) -> dict[str, Any]:
    """An example of a question."""
    said = {"detail": str(question.__doc__), "attr": "the_field", "value": "what was seen", "confirmable": True}
    return {"value": {"type": CLIENT_ERROR, "errors": [{"code": question.code, **said}]}}


_ID_IN_BODY = {
    "type": "object",
    "properties": {
        "client_temp_id": {
            "type": ["string", "null"],
            "minLength": 1,
            "maxLength": 64,
            "description": "The client's own id of it; sent again with the same content it changes nothing.",
        }
    },
}
_ID_IN_HEADER = OpenApiParameter(
    HEADER, str, OpenApiParameter.HEADER, description="The same as client_temp_id, for who would rather send it here."
)
_REPLAYED = "The same operation was recorded before (`Idempotent-Replayed: true`); nothing happened now."
_REFUSED_IDS = (IdempotencyConflict.code,)


class Schema(AutoSchema):
    """drf-standardized-errors' schema; 503 stands everywhere, 413 at what has a body, ids are integers."""

    def _get_error_response_serializer(self, status_code: str) -> Any:
        return _REFUSALS.get(status_code) or ErrorsSerializer

    def _get_error_response_examples(self) -> list[OpenApiExample]:
        """Without those of a missing token where none is asked for."""
        examples: list[OpenApiExample] = [*super()._get_error_response_examples(), *_EXAMPLES]
        is_open = not self.view.get_authenticators()
        return [example for example in examples if not (is_open and "401" in (example.status_codes or ()))]

    def _map_serializer_field(self, field: object, direction: object, bypass_extensions: bool = False) -> object:
        """Decimals have digits, and a sign only where they may be negative: the framework would take "" for one.

        An answer says NaN of what can't be read in the books.
        """
        described = super()._map_serializer_field(field, direction, bypass_extensions)  # type: ignore[no-untyped-call]  # untyped
        if isinstance(field, serializers.DecimalField) and "pattern" in described:
            sign = "-?" if field.min_value is None or field.min_value < 0 else ""
            whole, places = field.max_whole_digits, field.decimal_places
            digits = rf"{sign}\d{{1,{whole}}}(?:\.\d{{1,{places}}})?"
            described["pattern"] = f"^(?:{digits}|NaN)$" if direction == "response" else f"^{digits}$"
        return described

    def _resolve_path_parameters(self, variables: list[str]) -> list[dict[str, Any]]:
        parameters: list[dict[str, Any]] = super()._resolve_path_parameters(variables)  # type: ignore[no-untyped-call]  # untyped
        for parameter in parameters:
            if parameter["name"] == "id":
                parameter["schema"] = {"type": "integer", "minimum": 1}
        return parameters

    def _happens_once(self) -> bool:
        view = type(self.view)
        return issubclass(view, HappensOnce) and view.happens_once(self.method, getattr(self.view, "action", None))

    def get_override_parameters(self) -> list[Any]:
        return [*super().get_override_parameters(), *([_ID_IN_HEADER] if self._happens_once() else [])]

    def _get_request_body(self, direction: str = "request") -> dict[str, Any] | None:
        """What happens once takes its id beside its own fields, and what may ask what is confirmed."""
        described: dict[str, Any] | None = super()._get_request_body(direction)  # type: ignore[no-untyped-call]  # untyped
        beside = [_ID_IN_BODY] if self._happens_once() else []
        beside += [CONFIRM_IN_BODY] if self._asks() else []
        if not beside:
            return described
        if described is None:
            examples: dict[str, Any] = {"Nothing": {"value": {}}}
            whole = beside[0] if len(beside) == 1 else {"allOf": beside}
            return {"content": {"application/json": {"schema": whole, "examples": examples}}}
        for media in described["content"].values():
            media["schema"] = {"allOf": [media["schema"], *beside]}
        return described

    def _get_response_bodies(self, direction: Any = "response") -> dict[str, Any]:
        bodies: dict[str, Any] = super()._get_response_bodies(direction)
        if self._happens_once():
            if "201" in bodies:
                bodies.setdefault("200", {**bodies["201"], "description": _REPLAYED})
            self._add_codes(bodies.setdefault("409", self._conflict()), _REFUSED_IDS)
        if asked := self._asks():
            refusals = bodies.setdefault("409", self._asked_only())
            [media] = refusals["content"].values()
            media["schema"]["properties"]["errors"]["items"]["properties"] |= question_schema()
            media.setdefault("examples", {}).update({each.__name__: _asked(each) for each in asked})
            self._add_codes(refusals, [each.code for each in asked])
        return bodies

    @staticmethod
    def _add_codes(refusals: dict[str, Any], more: Sequence[str]) -> None:
        [media] = refusals["content"].values()
        codes = media["schema"]["properties"]["errors"]["items"]["properties"]["code"]["enum"]
        codes += [code for code in more if code not in codes]

    def _asks(self) -> Sequence[type[Question]]:
        """What the operation may ask."""
        return self.view.asks.get(self.view.action, ()) if isinstance(self.view, MayAsk) else ()

    @staticmethod
    def _asked_only() -> dict[str, Any]:
        media = {"schema": errors_of(UnreadableRecord.code)}
        return {"content": {"application/json": media}, "description": "Something in it is unlikely."}

    def _conflict(self) -> dict[str, Any]:
        refused = IdempotencyConflict
        error = {"code": refused.code, "detail": str(refused.__doc__), "attr": "client_temp_id"}
        example = {"value": {"type": CLIENT_ERROR, "errors": [error]}}
        media = {"schema": errors_of(UnreadableRecord.code), "examples": {"IdempotencyConflict": example}}
        return {"content": {"application/json": media}, "description": "The id was used for something else."}

    def _should_add_error_response(self, responses: dict[str, object], status_code: str) -> bool:
        if status_code == "400":
            return "400" not in responses  # a parameter that it doesn't know, everywhere
        if status_code == "409":
            is_told = "409" in responses or self._happens_once() or self._asks()
            return self.method != "GET" and not is_told
        if status_code == "413":
            return self.method in ("POST", "PUT", "PATCH")
        if status_code == "503":
            return "503" not in responses
        return bool(super()._should_add_error_response(responses, status_code))


class PlainSchema(Schema):
    """Of what refuses nothing."""

    def _should_add_error_response(self, responses: dict[str, object], status_code: str) -> bool:
        return False

    def _get_error_response_examples(self) -> list[OpenApiExample]:
        return []


def master_data(
    *,
    one: str,
    many: str,
    example: dict[str, object],
    remaining: Sequence[str] = (),
    patch: dict[str, object] | None = None,
    **extra: Any,
) -> dict[str, object]:
    """The words and examples of the six operations of a `MasterDataViewSet`; ``remaining`` of a deactivation."""
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
            description=f"{admins} Nothing is deleted: an inactive {noun} can't enter new business and stays readable. "
            "What happened before can still be recorded. The answer says what is still out.",
            tags=["Master data"],
            responses={200: RemainingOut},
            examples=[
                OpenApiExample(
                    "something is left", value={"remaining": remaining}, response_only=True, status_codes=["200"]
                )
            ],
        ),
    }


def table_answers(
    answer: type[serializers.BaseSerializer[Any]], example: dict[str, object]
) -> dict[tuple[int, str], object]:
    """The answers of a report: JSON, and a table as a file."""
    shown = OpenApiExample("figures", value=example, response_only=True, status_codes=["200"])
    return {
        (200, "application/json"): OpenApiResponse(answer, examples=[shown]),
        (200, CSV): OpenApiResponse(OpenApiTypes.STR, description="`format=csv`"),
        (200, XLSX): OpenApiResponse(OpenApiTypes.BINARY, description="`format=xlsx`"),
    }
