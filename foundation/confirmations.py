"""What is possible but unlikely is asked, not refused.

Before its first write a command requires all that it finds unlikely to be confirmed: it is refused once, with every
question. Who says the same again confirms each by its code, its field and the value that was seen, and no other.
Whoever takes a request in says what was confirmed with it (`foundation.api.confirm`, `foundation.office.confirm`,
`sync`); the answers stay in the audit record and beside what was recorded (`audit.services.record`).
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Any, ClassVar

from foundation.characters import unprintable
from foundation.errors import Conflict
from foundation.operations.contents import meaning

MAX_VALUE = 200
"""Characters of a value that is shown to be confirmed."""


class Question(Conflict):
    """Something is possible, but unlikely. ``value`` is what was seen; it is confirmed for this one only."""

    is_kept: ClassVar[bool] = False
    """What has happened in the field already stands all the same, but for this: it is kept until it is confirmed."""
    holds_email: ClassVar[bool] = False
    """The document isn't emailed before somebody has released it, whether this was confirmed or not."""

    def __init__(self, detail: str, *, attr: str, value: object) -> None:
        super().__init__(detail, attr=attr)
        self.value = as_value(value)

    @property
    def told(self) -> list[dict[str, Any]]:
        return [{**super().told[0], "value": self.value, "confirmable": True}]


class Unconfirmed(Conflict):
    """All that a command asks at once; its ``code`` is the first question's."""

    def __init__(self, questions: list[Question]) -> None:
        super().__init__(" ".join(each.detail for each in questions), attr=questions[0].attr)
        self.code = questions[0].code  # type: ignore[misc]  # there is none of its own
        self.questions = questions

    @property
    def told(self) -> list[dict[str, Any]]:
        return [error for each in self.questions for error in each.told]


@dataclass(frozen=True, slots=True)
class Said:
    """What somebody confirms."""

    code: str
    attr: str
    value: str
    detail: str | None = None
    """The question's words, where it was asked in them; None: an app asks in its own."""

    @classmethod
    def to(cls, question: Question, detail: str | None = None) -> "Said":
        """However the value is spelt: 60 is 60.00."""
        return cls(question.code, question.attr or "", meaning(question.value), detail)


@dataclass(frozen=True, slots=True)
class Answer:
    """A question, and who confirmed it. ``by`` None: nobody did, and it stands as it happened."""

    question: Question
    by: Any


@dataclass(frozen=True, slots=True)
class _Scope:
    confirmed: Mapping[Said, Any] = field(default_factory=dict)
    has_happened: bool = False
    also: tuple[Question, ...] = ()
    renamed: Mapping[str, str] = field(default_factory=dict)

    def who_confirmed(self, question: Question) -> Any:
        return self.confirmed.get(Said.to(question)) or self.confirmed.get(Said.to(question, question.detail))


_NOTHING_SAID = _Scope()
_scope: ContextVar[_Scope] = ContextVar("confirmations", default=_NOTHING_SAID)


@contextmanager
def said(confirmed: Iterable[Said] = (), *, by: Any = None, has_happened: bool | None = None) -> Iterator[None]:
    """Inside the block these are confirmed by somebody, beside what was said around it.

    ``has_happened``: the field reports it, or a file holds many of them: what isn't confirmed stands, but for what is
    kept. None: as around the block.
    """
    token = _scope.set(_with(confirmed, by))
    if has_happened is not None:
        _scope.set(replace(_scope.get(), has_happened=has_happened))
    try:
        yield
    finally:
        _scope.reset(token)


def say_from_here(confirmed: Iterable[Said], *, by: Any) -> None:
    """The same for the rest of the `said` block that this is called in."""
    _scope.set(_with(confirmed, by))


@contextmanager
def asked_with(questions: Iterable[Question], *, renamed: Mapping[str, str]) -> Iterator[None]:
    """Inside the block a command that is part of another one asks its questions with that one's own, all at once.

    ``renamed``: what its fields are called in the other one.
    """
    token = _scope.set(replace(_scope.get(), also=tuple(questions), renamed=renamed))
    try:
        yield
    finally:
        _scope.reset(token)


def require(questions: Iterable[Question]) -> list[Answer]:
    """What is answered of these, for the audit record. Raises Unconfirmed with all that has to be confirmed first."""
    scope = _scope.get()
    own = list(questions)
    for question in own:
        question.attr = scope.renamed.get(question.attr or "", question.attr)
    answers = [Answer(each, scope.who_confirmed(each)) for each in (*scope.also, *own)]
    missing = [
        answer.question
        for answer in answers
        if answer.by is None and (answer.question.is_kept or not scope.has_happened)
    ]
    if missing:
        raise Unconfirmed(missing)
    return answers[len(scope.also) :]


def why_held(answers: Iterable[Answer]) -> str:
    """Why a document isn't emailed before somebody has released it; empty: nothing holds it."""
    return " ".join(answer.question.detail for answer in answers if answer.question.holds_email)


def as_value(value: object) -> str:
    """What was seen, as it is shown and confirmed."""
    match value:
        case Decimal():
            text = f"{value:f}"
        case date():
            text = value.isoformat()
        case _:
            text = str(value)
    return text[:MAX_VALUE]


def _with(confirmed: Iterable[Said], by: Any) -> _Scope:
    scope = _scope.get()
    more = {replace(each, value=meaning(each.value)): by for each in confirmed}
    return replace(scope, confirmed={**more, **scope.confirmed}) if more else scope


class NameUnprintable(Question):
    """A name has characters that no font of ours prints."""

    code = "name_unprintable"


def unprinted(values: Mapping[str, object], before: object, *names: str) -> Iterator[NameUnprintable]:
    """Ask about what documents print, where it is new (not what ``before`` has) and a part of it would be blank."""
    for name in names:
        text = values.get(name)
        if isinstance(text, str) and text != getattr(before, name, "") and (missing := unprintable(text)):
            named = ", ".join(f"{character} (U+{ord(character):04X})" for character in missing)
            yield NameUnprintable(f"Documents can't print {named}.", attr=name, value=text)
