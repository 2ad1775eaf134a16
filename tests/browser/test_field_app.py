"""A driver's day with the field app, in a browser the size of a phone, against a live server."""

import statistics
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, Playwright, Route, expect, sync_playwright

from foundation import clock
from periods.demo import PASSWORD
from testbed.servers import Site
from tests.browser.conftest import SHOTS, is_own, launching
from tests.contract.demo_site import demo_token
from tests.types import Json

SCREENS = ("", "vehicle", "load", "sell", "history", "refused", "count")


class Phone:
    """A browser with a memory: what it kept is there when it is opened again."""

    def __init__(self, playwright: Playwright, folder: Path, url: str) -> None:
        self.playwright, self.folder, self.url = playwright, folder, url
        self.problems: list[str] = []
        self.context: BrowserContext
        self.page: Page
        self.is_open = False

    def open(self, *, offline: bool = False) -> Page:
        self.context = self.playwright.chromium.launch_persistent_context(
            self.folder, offline=offline, viewport={"width": 360, "height": 740}, device_scale_factor=2,
            is_mobile=True, has_touch=True, **launching(),
        )  # fmt: skip
        self.is_open = True
        self.context.set_default_timeout(60_000)
        self.page = self.context.pages[0]
        self._watch(self.page)
        self.page.goto(self.url)
        return self.page

    def tab(self) -> Page:
        page = self.context.new_page()
        self._watch(page)
        page.goto(self.url)
        return page

    def close(self) -> None:
        if self.is_open:
            self.context.close()
        self.is_open = False

    def _watch(self, page: Page) -> None:
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on("request", lambda sent: self.problems.append(sent.url) if not is_own(sent.url) else None)


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture
def phone(playwright: Playwright, site: Site, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Phone]:
    phone = Phone(playwright, tmp_path / "profile", f"http://127.0.0.1:{site.port}/app/")
    yield phone
    if phone.is_open:
        shot(phone.page, request.node.name)
    phone.close()
    assert phone.problems == []


def shot(page: Page, name: str) -> None:
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=str(SHOTS / f"{name}.png"))


def log_in(page: Page, username: str) -> None:
    page.get_by_label("User name").fill(username)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    sent(page)


def sent(page: Page) -> None:
    page.get_by_role("button", name="All sent").wait_for()


def sell(page: Page, customer: str, *items: str, reading: str = "", paid: bool = False) -> str:
    """The provisional number of the sale; ``items`` are tapped."""
    page.get_by_role("link", name="Sell", exact=True).first.click()
    page.get_by_label("Name, code").fill(customer)
    page.locator(".cards a").first.click()
    for item in items:
        page.get_by_role("button", name=item).first.click()
    if reading:
        page.get_by_label("Reading now").fill(reading)
    page.get_by_label("Paid in cash" if paid else "On account").check()
    page.get_by_role("button", name="Record").click()
    heading = page.get_by_role("heading", name="PROVISIONAL")
    heading.wait_for()
    return heading.inner_text()


def on_vehicle(page: Page, item: str) -> list[str]:
    page.get_by_role("link", name="Today").click()
    row = page.get_by_role("row").filter(has_text=item)
    row.wait_for()
    return row.get_by_role("cell").all_inner_texts()


def rows(site: Site, token: str, path: str) -> list[Json]:
    found: list[Json] = site.ask("GET", path, token=token).json()["results"]
    return found


def test_a_day_in_the_field(site: Site, phone: Phone) -> None:
    driver, supervisor, admin = (demo_token(site, name) for name in ("driver2", "supervisor", "admin"))
    me = site.ask("GET", "accounts/me/", token=driver).json()
    before = {row["id"] for row in rows(site, driver, "transactions/")}
    big = rows(site, admin, "equipment/?search=CYL-50-POL")[0]["id"]

    def count(quantity: int) -> None:
        body = {
            "entity": "vehicle", "entity_id": me["vehicle_no"], "equipment_id": big, "condition": "FULL",
            "quantity": quantity, "reason": "Counted at the depot",
        }  # fmt: skip
        assert site.ask("POST", "inventories/update-inventory/", body, token=admin).status == 200

    count(6)

    # The morning: log in, load.
    page = phone.open()
    log_in(page, "driver2")
    full = int(on_vehicle(page, "14 kg POL")[0])
    page.get_by_role("link", name="Load or return").click()
    page.get_by_role("button", name="One more 14 kg POL cylinder, full").click(click_count=3)
    shot(page, "field-load")
    page.get_by_role("button", name="Confirm").click()
    sent(page)
    assert on_vehicle(page, "14 kg POL")[0] == str(full + 3)

    # No network: three sales, one of them with a meter. The office has just counted fewer on the vehicle.
    phone.context.set_offline(True)
    count(4)
    sell(page, "ah hock", "14 kg POL", "14 kg POL", paid=True)
    last = site.ask("GET", "customers/?search=Hup Lee".replace(" ", "%20"), token=driver).json()["results"][0]
    reading = f"{float(last['last_meter_reading']) + 25.05:.2f}"
    sell(page, "539193", "50 kg POL", reading=reading)
    shot(page, "field-receipt")
    sell(page, "GUAN HENG", *["50 kg POL"] * 4)
    assert on_vehicle(page, "14 kg POL")[0] == str(full + 1)
    assert on_vehicle(page, "50 kg POL")[0] == "1"
    shot(page, "field-today-offline")

    # The phone dies in the afternoon; what was sold is still there.
    phone.close()
    page = phone.open(offline=True)
    page.get_by_role("button", name="3 waiting").wait_for()
    page.get_by_role("link", name="History").click()
    expect(page.locator(".mark.waiting")).to_have_count(3)
    shot(page, "field-history-offline")

    # The network is back, and loses the first answer.
    lost: list[int] = []

    def lose_the_answer(route: Route) -> None:
        if lost:
            route.continue_()
            return
        lost.append(route.fetch().status)
        route.abort()

    phone.context.route("**/api/sync/push/", lose_the_answer)
    phone.context.set_offline(False)
    sent(page)
    assert lost == [200]
    expect(page.locator(".mark.waiting")).to_have_count(0)
    expect(page.locator(".mark.refused")).to_have_count(1)

    # Official numbers and the PDF; what the customer was shown is what is billed.
    page.get_by_role("link", name="Hup Lee").first.click()
    number = page.get_by_role("heading", name="INV-").inner_text()
    shown = page.locator("dd.grand").inner_text()
    page.get_by_role("button", name="Tax invoice").click()
    page.get_by_role("link", name="Open the PDF").wait_for()
    shot(page, "field-receipt-official")
    [billed] = [row for row in rows(site, driver, "invoices/") if row["invoice_number"] == number]
    assert shown.replace("$", "").replace(",", "") == billed["total_amount"]

    # One was refused: the office had counted fewer. It happens by itself once there is more.
    page.get_by_role("link", name="1 was refused").click()
    page.get_by_text("Guan Heng").wait_for()
    page.get_by_text("Tell your supervisor what you carried").wait_for()
    page.get_by_text("It happens by itself today").wait_for()
    shot(page, "field-refused")
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="It did not happen").click()
    page.get_by_text("You told the office that this did not happen.").wait_for()
    [conflict] = rows(site, supervisor, "sync/conflicts/?status=OPEN")
    assert (conflict["code"], conflict["tried_again_until"]) == ("insufficient_stock", None)
    assert conflict["withdrawn_because"] == "It did not happen, says who sent it."

    # A supervisor knows better.
    count(5)
    assert site.ask("POST", f"sync/conflicts/{conflict['id']}/retry/", {}, token=supervisor).status == 200
    [settled] = rows(site, supervisor, "sync/conflicts/?status=RETRIED")
    assert settled["id"] == conflict["id"]
    page.get_by_role("button", name="Ask what was decided").click()
    page.get_by_text("Nothing.").wait_for()

    # The day-end, also without a network.
    phone.context.set_offline(True)
    page.get_by_role("link", name="Day end").click()
    page.get_by_role("button", name="One more 14 kg POL cylinder, full").click(click_count=full + 1)
    page.get_by_label("Dollars").fill("78.48")
    shot(page, "field-count")
    # The phone kills the app: what was entered is still there.
    phone.close()
    page = phone.open(offline=True)
    page.get_by_role("link", name="Day end").click()
    expect(page.get_by_label("Dollars")).to_have_value("78.48")
    expect(page.get_by_role("textbox", name="14 kg POL cylinder, full", exact=True)).to_have_value(str(full + 1))
    page.get_by_role("button", name="Hand in the count").click()
    expect(page.get_by_text("Not sent yet")).to_have_count(2)  # the goods, and the cash
    phone.context.set_offline(False)
    expect(page.get_by_text("Handed in")).to_have_count(2)
    shot(page, "field-counted")

    # The office rejects the one and signs off the other: the one is counted again.
    goods, cash = (
        rows(site, supervisor, f"{kind}-counts/?status=COUNTED&user={me['id']}")[0] for kind in ("vehicle", "cash")
    )
    why = {"remarks": "Two stood behind the seat."}
    assert site.ask("POST", f"vehicle-counts/{goods['id']}/reject/", why, token=supervisor).status == 200
    assert site.ask("POST", f"cash-counts/{cash['id']}/sign-off/", {}, token=supervisor).status == 200
    page.get_by_role("button", name="All sent").click()
    page.get_by_text(why["remarks"]).wait_for()
    page.get_by_text("Signed off.").wait_for()
    expect(page.get_by_label("Dollars")).to_have_count(0)
    page.get_by_role("button", name="One more 14 kg POL cylinder, full").click(click_count=full + 1)
    page.get_by_role("button", name="Hand in the count").click()
    page.get_by_text("Handed in").wait_for()
    sent(page)

    after = [row for row in rows(site, driver, "transactions/") if row["id"] not in before]
    assert len(after) == len({row["client_temp_id"] for row in after}) == 3
    assert rows(site, supervisor, "sync/conflicts/?status=OPEN") == []
    site.manage("verify_books")


def test_what_was_taken_back_before_it_was_sent_never_happened(site: Site, phone: Phone) -> None:
    driver = demo_token(site, "driver3")
    before = len(rows(site, driver, "transactions/"))
    page = phone.open()
    log_in(page, "driver3")
    page.on("dialog", lambda dialog: dialog.accept())
    phone.context.set_offline(True)
    sell(page, "kim leng", "14 kg POL")
    page.get_by_role("button", name="Take it back").click()
    page.get_by_role("heading", name="Your sales").wait_for()
    sell(page, "ah hock", "14 kg POL")
    phone.context.set_offline(False)
    sent(page)
    sales = rows(site, driver, "transactions/")
    assert len(sales) == before + 1
    assert sales[0]["customer_name"].startswith("Ah Hock")
    page.get_by_role("link", name="Today").click()
    page.get_by_text("Everything is sent").wait_for()
    expect(page.get_by_text("The server misses")).to_have_count(0)


def test_a_driver_takes_another_truck(site: Site, phone: Phone) -> None:
    """Without a network: what is sold from then on leaves that one."""
    driver, admin = (demo_token(site, name) for name in ("driver3", "admin"))
    own = site.ask("GET", "accounts/me/", token=driver).json()["vehicle_no"]
    other = next(row["number"] for row in rows(site, admin, "vehicles/") if row["number"] != own)
    item = rows(site, admin, "equipment/?search=CYL-14-POL")[0]["id"]
    body = {
        "entity": "vehicle", "entity_id": other, "equipment_id": item, "condition": "FULL", "quantity": 8,
        "reason": "Counted at the depot",
    }  # fmt: skip
    assert site.ask("POST", "inventories/update-inventory/", body, token=admin).status == 200
    page = phone.open()
    log_in(page, "driver3")
    phone.context.set_offline(True)
    page.get_by_role("link", name="Take another vehicle").click()
    shot(page, "field-vehicles")
    page.get_by_role("button", name=other).click()
    page.get_by_text(f"What the books have on {other} isn't downloaded yet").wait_for()
    sell(page, "ah hock", "14 kg POL", "14 kg POL")
    phone.context.set_offline(False)
    sent(page)
    assert on_vehicle(page, "14 kg POL")[0] == "6"
    assert site.ask("GET", "accounts/me/", token=driver).json()["vehicle_no"] == other
    assert rows(site, driver, "transactions/")[0]["vehicle_no"] == other


def test_the_receipt_says_what_is_billed_otherwise(site: Site, phone: Phone) -> None:
    """A colleague has read the meter before the driver did, who had no network and couldn't know."""
    driver, colleague = (demo_token(site, name) for name in ("driver3", "driver2"))
    page = phone.open()
    log_in(page, "driver3")
    customer = site.ask("GET", "customers/?search=Hup%20Lee", token=driver).json()["results"][0]
    last = Decimal(customer["last_meter_reading"])
    phone.context.set_offline(True)
    before = clock.now().isoformat()
    sell(page, "539193", reading=str(last + 30), paid=True)
    shown = page.locator("dd.grand").inner_text()
    sale = {"customer": customer["id"], "current_meter": str(last + 20), "occurred_at": before}
    assert site.ask("POST", "transactions/", sale, token=colleague).status == 201
    phone.context.set_offline(False)
    expect(page.locator("dd.grand")).not_to_have_text(shown)
    billed = page.locator("dd.grand").inner_text()
    page.get_by_text(f"You took {shown}, billed are {billed}.").wait_for()
    shot(page, "field-receipt-differs")
    page.get_by_role("link", name="History").click()
    page.get_by_text(f"You took {shown}, billed are {billed}.").wait_for()


def test_two_tabs_share_one_queue(site: Site, phone: Phone) -> None:
    driver = demo_token(site, "driver3")
    before = len(rows(site, driver, "transactions/"))
    first = phone.open()
    log_in(first, "driver3")
    second = phone.tab()
    sent(second)
    phone.context.set_offline(True)
    sell(first, "ah hock", "14 kg POL")
    sell(second, "kim leng", "14 kg POL")
    for page in (first, second):
        page.get_by_role("button", name="2 waiting").wait_for()
    phone.context.set_offline(False)
    for page in (first, second):
        sent(page)
    assert len(rows(site, driver, "transactions/")) == before + 2


def test_a_session_that_ended_loses_nothing(site: Site, phone: Phone) -> None:
    """Somebody changes the driver's password while they sell without a network."""
    admin = demo_token(site, "admin")
    page = phone.open()
    log_in(page, "driver4")
    phone.context.set_offline(True)
    sell(page, "ah hock", "14 kg POL")
    me = next(row for row in rows(site, admin, "accounts/users/") if row["username"] == "driver4")
    new = {"password": "another word for gas 77"}
    assert site.ask("POST", f"accounts/users/{me['id']}/set-password/", new, token=admin).status in (200, 204)
    phone.context.set_offline(False)
    page.get_by_role("link", name="log in again").click()
    page.get_by_label("Password").fill(new["password"])
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("heading", name=me["name"]).wait_for()
    page.get_by_role("button", name="All sent").wait_for(timeout=15_000)  # at once, not with the next round
    token = site.ask("POST", "token/", {"username": "driver4", **new}).json()["access"]
    assert len(rows(site, token, "transactions/")) == 1
    page.get_by_role("button", name="Log out").click()
    page.get_by_label("User name").wait_for()
    page.wait_for_function("async () => (await indexedDB.databases()).length === 0")


@pytest.mark.any_engine
def test_the_first_screen_comes_from_the_phone_within_a_second(site: Site, phone: Phone) -> None:
    page = phone.open()
    log_in(page, "driver1")
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    phone.context.set_offline(True)
    taken = []
    for _ in range(5):
        page.goto("about:blank")
        started = time.perf_counter()
        page.goto(phone.url)
        page.get_by_role("heading", name="On the vehicle").wait_for()
        taken.append(time.perf_counter() - started)
    assert statistics.median(taken) < 1


@pytest.mark.any_engine
def test_every_screen_fits_a_small_phone_and_can_be_named(site: Site, phone: Phone) -> None:
    page = phone.open()
    log_in(page, "driver1")
    for screen in (*SCREENS, "sell/8"):
        page.goto(f"{phone.url}#/{screen}")
        page.get_by_role("heading", level=1).wait_for()
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, screen
        unnamed = page.evaluate(
            """() => [...document.querySelectorAll("a, button, input, select")]
                .filter((control) => !control.innerText && !control.ariaLabel && !control.labels?.length)
                .map((control) => control.outerHTML)"""
        )
        assert unnamed == [], screen
        small = page.evaluate(
            """() => [...document.querySelectorAll("button, select, input:not([type=radio], [type=checkbox]), nav a")]
                .filter((control) => control.offsetHeight < 44)
                .map((control) => control.outerHTML)"""
        )
        assert small == [], screen


@pytest.mark.any_engine
def test_a_wrong_clock_is_pointed_out(site: Site, phone: Phone) -> None:
    page = phone.open()
    log_in(page, "driver1")
    expect(page.get_by_role("alert")).to_have_count(0)
    page.clock.set_system_time(time.time() + 11 * 60)
    page.get_by_role("button", name="All sent").click()
    page.get_by_text("clock is 11 minutes fast").wait_for()


@pytest.mark.any_engine
def test_each_role_finds_what_it_may_do(site: Site, phone: Phone) -> None:
    page = phone.open()
    for username, places in (
        ("depot", ["Today", "Load"]),
        ("sales", ["Today", "Sell", "History", "Day end"]),
        ("driver1", ["Today", "Load", "Sell", "History", "Day end"]),
    ):
        log_in(page, username)
        assert page.get_by_role("navigation").get_by_role("link").all_inner_texts() == places
        page.get_by_role("button", name="Log out").click()
        page.get_by_label("User name").wait_for()
