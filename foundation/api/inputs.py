"""What a client sends, taken by name."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError

from foundation.api.exceptions import shown

IGNORE_UNKNOWN = "ignore_unknown"
"""In a serializer's context: what nobody knows is left out. For what was sent to an earlier release."""
NAMED_AT_MOST = 20

if TYPE_CHECKING:
    _Base = serializers.Serializer[None]
else:
    _Base = object


class KnownFieldsOnly(_Base):
    """Refuses names that aren't its fields': `payment_recieved` must not become an unpaid sale.

    A field that is only read is known, so that what was read can be sent back.
    """

    unknown_code = "unknown_field"
    unknown_detail = "There is no such field."

    def to_internal_value(self, data: Any) -> Any:
        unknown = {} if self.context.get(IGNORE_UNKNOWN) else self._unknown(data)
        try:
            value = super().to_internal_value(data)
        except ValidationError as error:
            if not unknown or not isinstance(error.detail, dict):
                raise
            raise ValidationError({**error.detail, **unknown}) from error
        if unknown:
            raise ValidationError(unknown)
        return value

    def _unknown(self, data: Any) -> dict[str, list[ErrorDetail]]:
        names = [name for name in data if name not in self.fields] if isinstance(data, Mapping) else []
        return {shown(name): [ErrorDetail(self.unknown_detail, self.unknown_code)] for name in names[:NAMED_AT_MOST]}


class Input(KnownFieldsOnly, serializers.Serializer[None]):
    """The base of what a request's body is read by."""


def known_part(field: object, sent: Any) -> Any:
    """What was sent without the names that ``field``, a serializer or one of its fields, doesn't know."""
    child = getattr(field, "child", None)
    if child is not None and isinstance(sent, list):
        return [known_part(child, each) for each in sent]
    if isinstance(field, serializers.Serializer) and isinstance(sent, Mapping):
        return {name: known_part(field.fields[name], each) for name, each in sent.items() if name in field.fields}
    return sent


class Nothing(Input):
    """Of an operation that takes no body."""

    @classmethod
    def require(cls, body: Any) -> None:
        """Raises DRF's ValidationError where there is something in it."""
        cls(data=body or {}).is_valid(raise_exception=True)
