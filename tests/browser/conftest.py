"""A live site with the demo data, and Debian's Chromium to look at it with."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from periods.demo import PASSWORD
from testbed.servers import ROOT, Site
from tests.contract.demo_site import demo_site
from tests.types import Json

SHOTS = ROOT / "var/screenshots"


@pytest.fixture(scope="session")
def site() -> Iterator[Site]:
    with demo_site() as site:
        yield site


def launching() -> Json:
    """How Debian's Chromium is launched."""
    chromium = shutil.which("chromium")
    assert chromium, "make test-browser installs it"
    return {
        "executable_path": chromium,
        "args": ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
        # With the fonts of the system: those of the invoices alone are none for a browser's own menus.
        "env": {name: value for name, value in os.environ.items() if not name.startswith("FONTCONFIG_")},
    }


@pytest.fixture(scope="session")
def browser(site: Site) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(**launching())
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A page whose scripts have to run without an error, and which loads nothing from elsewhere."""
    context = browser.new_context(viewport={"width": 1400, "height": 900}, accept_downloads=True)
    page, problems = context.new_page(), []
    page.set_default_timeout(60_000)
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda said: problems.append(said.text) if said.type == "error" else None)
    page.on("request", lambda sent: problems.append(sent.url) if not is_own(sent.url) else None)
    yield page
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=str(Path(SHOTS) / f"{request.node.name}.png"), full_page=True)
    context.close()
    assert problems == []


def is_own(url: str) -> bool:
    return url.startswith(("http://127.0.0.1:", "data:", "blob:"))


def log_in(page: Page, site: Site, username: str) -> None:
    page.goto(f"http://127.0.0.1:{site.port}/admin/")
    page.get_by_label("Username").fill(username)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.get_by_text("To see to").wait_for()
