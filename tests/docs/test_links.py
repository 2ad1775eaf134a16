"""What the documentation names is there: files, headings, commands, settings, tests."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import get_commands

pytestmark = pytest.mark.any_engine

ROOT = Path(settings.BASE_DIR)
PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")])
TEXTS = {page.relative_to(ROOT).as_posix(): page.read_text(encoding="utf-8") for page in PAGES}


def anchors_of(page: Path) -> set[str]:
    """As a forge makes them of headings."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken(name: str) -> Iterator[str]:
    folder = (ROOT / name).parent
    for link in re.findall(r"\]\(([^)\s]+)\)", TEXTS[name]):
        if link.startswith(("http://127.0.0.1", "https://your.host")):
            continue
        path, _, anchor = link.partition("#")
        target = folder / path if path else ROOT / name
        if not target.exists() or (anchor and anchor not in anchors_of(target)):
            yield link


@pytest.mark.parametrize("name", TEXTS)
def test_every_link_leads_somewhere(name: str) -> None:
    assert list(broken(name)) == []


def test_the_links_lead_nowhere_else() -> None:
    """What is needed is here: no page sends its reader away."""
    outside = {url for text in TEXTS.values() for url in re.findall(r"https?://[^\s)>`\"]+", text)}
    known = ("http://127.0.0.1", "https://your.host", "http://app:8000", "https://…/")
    assert {url for url in outside if not url.startswith(known)} == set()


@pytest.mark.parametrize("name", TEXTS)
def test_every_command_exists(name: str) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"`make ([a-z-]+)|^make ([a-z-]+)", TEXTS[name], re.MULTILINE)) <= {
        pair for target in targets for pair in ((target, ""), ("", target))
    }
    commands = {*get_commands(), "check", "migrate"}
    assert set(re.findall(r"manage\.py ([a-z_]+)", TEXTS[name])) <= commands


@pytest.mark.parametrize("name", TEXTS)
def test_every_file_that_is_named_exists(name: str) -> None:
    named = re.findall(
        r"`((?:tests|scripts|core|foundation|docs|deploy|benchmarks|invoices|examples|templates)/[\w./-]+)`",
        TEXTS[name],
    )
    made = ("deploy/database.env", "deploy/tls/")  # by whoever deploys
    assert [path for path in named if not (ROOT / path).exists() and not path.startswith(made)] == []


def test_every_setting_that_is_named_exists() -> None:
    sources = (ROOT / ".env.example", ROOT / "gunicorn.conf.py", *(ROOT / "core/settings").glob("*.py"))
    known = "".join(path.read_text() for path in sources)
    named = {
        word
        for text in TEXTS.values()
        for word in re.findall(r"`((?:DB|EMAIL|COMPANY|JWT|LOG|METRICS|SECURE)_[A-Z_]+)`", text)
    }
    assert {word for word in named if word.rstrip("_") not in known} == set()


def test_the_diagram_names_every_folder() -> None:
    """And every one that it names is there."""
    drawn = TEXTS["docs/architecture.md"].split("```")[1]
    named = set(re.findall(r"\b([a-z_]+)/", drawn))
    there = {path.name for path in ROOT.iterdir() if path.is_dir() and path.name[0] not in "._"} - {"var", "docs"}
    assert there <= named
    kept_by_django = {
        "__init__.py",
        "__pycache__",
        "admin.py",
        "apps.py",
        "checks.py",
        "management",
        "migrations",
        "models.py",
        "static",
        "templatetags",
    }
    concepts = {path.name for path in (ROOT / "foundation").iterdir()} - kept_by_django
    assert {name for name in concepts if not re.search(rf"\b{re.escape(name)}", drawn)} == set()
