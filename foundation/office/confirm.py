"""What a form of the office asks: it comes back with each question and a box to tick."""

import json
from dataclasses import dataclass

from django.http import HttpRequest

from foundation.confirmations import Question, Said

FIELD = "confirm"


@dataclass(frozen=True, slots=True)
class Box:
    """A question, and what its box sends when it is ticked."""

    text: str
    value: str

    @classmethod
    def of(cls, question: Question, target: object = None) -> "Box":
        """``target``: which of several rows it is asked about."""
        said = {
            "code": question.code,
            "attr": question.attr,
            "value": question.value,
            "detail": question.detail,
            "target": str(target or ""),
        }
        return cls(f"{target}: {question.detail}" if target else question.detail, json.dumps(said))


def ticked(request: HttpRequest, target: object = None) -> list[Said]:
    """What was confirmed about a row. What no box of ours says is no confirmation."""
    found = []
    for text in request.POST.getlist(FIELD):
        try:
            sent = json.loads(text)
            said = Said(*(str(sent[name]) for name in ("code", "attr", "value", "detail")))
            if sent["target"] == str(target or ""):
                found.append(said)
        except (ValueError, TypeError, KeyError, RecursionError):
            continue
    return found
