"""An API client that holds every answer of a test against the committed schema."""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import yaml
from django.conf import settings
from rest_framework.test import APIClient

from tests.types import Answer, Json

# Of the protocol, whatever the operation: a method or a content type that it doesn't have.
PROTOCOL = {405, 415}


@cache
def schema() -> Json:
    text = (settings.BASE_DIR / "docs/openapi.yaml").read_text(encoding="utf-8")
    loaded: Json = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return loaded


@cache
def operations() -> dict[tuple[str, re.Pattern[str]], Json]:
    """By method and path."""
    found = {}
    for path, methods in schema()["paths"].items():
        pattern = re.compile(re.sub(r"\{[^}]+\}", "[^/]+", path))
        found.update({(method.upper(), pattern): operation for method, operation in methods.items()})
    # The fixed ones first: /invoices/print-batch/ before /invoices/{id}/.
    return dict(sorted(found.items(), key=lambda entry: entry[0][1].pattern.count("[^/]+")))


def operation_of(method: str, path: str) -> Json | None:
    return next(
        (it for (verb, pattern), it in operations().items() if verb == method and pattern.fullmatch(path)), None
    )


def codes_of(described: Json) -> set[str] | None:
    """The codes that an error's schema names; None where any may come."""
    if "$ref" in described:
        described = schema()["components"]["schemas"][described["$ref"].rsplit("/", 1)[1]]
    known = described["properties"]["errors"]["items"]
    return None if "$ref" in known else set(known["properties"]["code"]["enum"])


def undocumented(method: str, path: str, response: Answer) -> str | None:
    """What of a refusal the schema doesn't say."""
    operation = operation_of(method, path)
    if operation is None or response.status_code in PROTOCOL or response.status_code < 400:
        return None
    if response.status_code == 500:
        return None  # said by whoever expects it
    answer = operation["responses"].get(str(response.status_code))
    if answer is None:
        return f"{method} {path} answered {response.status_code}, which the schema doesn't know."
    known = codes_of(answer["content"]["application/json"]["schema"])
    codes = {error["code"] for error in response.json()["errors"]}
    if known is not None and not codes <= known:
        return f"{method} {path} answered {response.status_code} with {codes - known}; the schema knows {known}."
    return None


def unknown_fields(described: Json, value: Any, where: str = "") -> Iterator[str]:
    """Fields of an answer that its schema doesn't name: nothing leaves by accident, whoever asks."""
    if "$ref" in described:
        described = schema()["components"]["schemas"][described["$ref"].rsplit("/", 1)[1]]
    for part in [*described.get("allOf", ()), *described.get("oneOf", ())]:
        if "$ref" in part:  # a reference with a description beside it, or that or null
            described = schema()["components"]["schemas"][part["$ref"].rsplit("/", 1)[1]]
    if isinstance(value, list):
        for item in value:
            yield from unknown_fields(described.get("items", {}), item, f"{where}[]")
    elif isinstance(value, dict) and "properties" in described:
        for name, inner in value.items():
            if name in described["properties"]:
                yield from unknown_fields(described["properties"][name], inner, f"{where}.{name}")
            elif not described.get("additionalProperties"):
                yield f"{where}.{name}"


def told_beyond(method: str, path: str, response: Answer) -> set[str]:
    operation = operation_of(method, path)
    answer = operation and operation["responses"].get(str(response.status_code))
    content = (answer or {}).get("content", {}).get("application/json")
    return set(unknown_fields(content["schema"], response.json())) if content else set()


class DocumentedClient(APIClient):
    """Fails the test that gets an answer which the schema doesn't tell."""

    def request(self, **kwargs: Any) -> Any:  # by three base classes of three kinds
        response = super().request(**kwargs)
        # As it is: a test that cuts the answer off has none to look at.
        if response.get("Content-Type") == "application/json" and "Content-Encoding" not in response:
            complaint = undocumented(kwargs["REQUEST_METHOD"], kwargs["PATH_INFO"], response)
            assert complaint is None, complaint
            told = told_beyond(kwargs["REQUEST_METHOD"], kwargs["PATH_INFO"], response)
            assert told == set(), (kwargs["PATH_INFO"], told)
        return response
