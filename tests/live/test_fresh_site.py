"""A site of which nothing was made but what `migrate` makes."""

import re
import urllib.request
from collections.abc import Iterator
from http.cookiejar import CookieJar
from pathlib import Path
from urllib.parse import urlencode

import pytest

from testbed.servers import Site
from tests.live.templates import site_from

PASSWORD = "correct horse battery"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with site_from("empty", tmp_path, DJANGO_SETTINGS_MODULE="core.settings") as site:
        yield site


def test_who_migrates_and_makes_an_administrator_can_log_in(site: Site) -> None:
    site.environment |= {"DJANGO_SUPERUSER_PASSWORD": PASSWORD, "DEBUG": "True"}
    site.manage("createsuperuser", "--no-input", "--username", "boss", "--email", "boss@hsh.example")
    site.start()

    assert site.ask("GET", "health/ready/").status == 200
    token = site.log_in("boss")
    assert site.ask("GET", "accounts/me/", token=token).json()["username"] == "boss"

    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
    address = f"{site.url.removesuffix('/api/')}/admin/login/?next=/admin/"
    form = browser.open(address).read().decode()
    [csrf] = re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', form)
    sent = {"username": "boss", "password": PASSWORD, "csrfmiddlewaretoken": csrf}
    answer = browser.open(urllib.request.Request(address, urlencode(sent).encode(), {"Referer": address}))
    assert (answer.status, answer.url) == (200, address.replace("login/?next=/admin/", ""))
    assert "Cylinders and money" in answer.read().decode()
