"""Each example of the schema is valid as it stands, and what Swagger UI offers to try works on the demo data."""

from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from tests.contract.documented import operations, schema
from tests.types import Json

pytestmark = pytest.mark.any_engine

Example = tuple[str, Json, Any]


def examples() -> Iterator[Example]:
    """Where it stands, what it has to fit, and itself."""
    for (method, path), operation in operations().items():
        bodies = {"request": operation.get("requestBody", {}), **operation["responses"]}
        for which, body in bodies.items():
            for media in body.get("content", {}).values():
                for name, example in media.get("examples", {}).items():
                    yield f"{method} {path.pattern} {which}: {name}", media["schema"], example["value"]


ALL = list(examples())


def test_there_are_examples() -> None:
    """Of what every operation takes and gives."""
    assert len(ALL) > 200
    without = [
        f"{method} {path.pattern}"
        for (method, path), operation in operations().items()
        if "/health/" not in path.pattern
        for body in [operation.get("requestBody", {}), *operation["responses"].values()]
        for media_type, media in body.get("content", {}).items()
        if media_type == "application/json" and "examples" not in media and "/reports/" not in path.pattern
    ]
    assert without == []


@pytest.mark.parametrize(("where", "shape", "value"), ALL, ids=[where for where, *_ in ALL])
def test_an_example_is_valid(where: str, shape: Json, value: Any) -> None:
    whole = {**shape, "components": schema()["components"]}
    problems = Draft202012Validator(whole, format_checker=FormatChecker()).iter_errors(value)
    assert [f"{list(problem.path)}: {problem.message}" for problem in problems] == []
