"""What a request confirms: `confirm` in the body of what may ask, and a field that nobody knows elsewhere."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from django.utils.choices import BaseChoiceIterator
from rest_framework.request import Request

from foundation.api.fields import TextField, many
from foundation.api.inputs import Input
from foundation.confirmations import MAX_VALUE, Question, Said, said, say_from_here

FIELD = "confirm"
MAX_CONFIRMED = 500

if TYPE_CHECKING:
    from rest_framework.viewsets import GenericViewSet

    _View = GenericViewSet[Any]
else:
    _View = object


class SaidIn(Input):
    """One question's code, field and value, as the refusal told them."""

    code = TextField(max_length=64)
    attr = TextField(max_length=64)
    value = TextField(max_length=MAX_VALUE, allow_blank=True, trim_whitespace=False)


class ConfirmIn(Input):
    confirm = many(SaidIn, required=False, default=list, max_length=MAX_CONFIRMED)


class MayAsk(_View):
    """A view whose commands may ask: which questions by its action."""

    asks: ClassVar[Mapping[str, tuple[type[Question], ...]]] = {}

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        with said():
            return super().dispatch(request, *args, **kwargs)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if self.action in self.asks and isinstance(request.data, dict) and FIELD in request.data:
            say_from_here(read_confirmed(request.data.pop(FIELD)), by=request.user)


class QuestionCodes(BaseChoiceIterator):
    """The codes of all questions, as choices. Read when they are asked for: the apps that ask stand above this one."""

    def __iter__(self) -> Iterator[tuple[str, str]]:
        yield from sorted((kind.code, kind.code.replace("_", " ").capitalize()) for kind in _kinds(Question))


def _kinds(of: type[Question]) -> Iterator[type[Question]]:
    for kind in of.__subclasses__():
        yield kind
        yield from _kinds(kind)


def read_confirmed(sent: object) -> list[Said]:
    """Raises DRF's ValidationError."""
    serializer = ConfirmIn(data={FIELD: sent})
    serializer.is_valid(raise_exception=True)
    return [Said(**each) for each in serializer.validated_data[FIELD]]


def question_schema() -> dict[str, dict[str, Any]]:
    """What a question's error has beside code, detail and attr."""
    return {
        "value": {"type": "string", "description": "Of a question: what was seen, to be confirmed as it stands."},
        "confirmable": {"type": "boolean", "description": "Whether it is a question: the same again with `confirm`."},
    }


_SAID = {
    "type": "object",
    "properties": {
        "code": {"type": "string", "maxLength": 64},
        "attr": {"type": "string", "maxLength": 64},
        "value": {"type": "string", "maxLength": MAX_VALUE},
    },
    "required": ["code", "attr", "value"],
}
CONFIRM_IN_BODY = {
    "type": "object",
    "properties": {
        FIELD: {
            "type": "array",
            "maxItems": MAX_CONFIRMED,
            "items": _SAID,
            "description": "What was asked and is meant so: each question's code, attr and value, for that value only.",
        }
    },
}
