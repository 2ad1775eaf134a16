"""The main paths of the office, in a real browser against a live site."""

import csv
import re

from playwright.sync_api import Page, expect

from testbed.servers import Site
from tests.browser.conftest import log_in


def test_what_waits_is_seen_to(page: Page, site: Site) -> None:
    log_in(page, site, "admin")
    page.get_by_role("link", name=re.compile("load to confirm")).click()
    page.locator("#result_list tbody th a").first.click()
    page.locator("select[name$=action]").select_option("confirm")
    page.get_by_role("button", name=re.compile("Run|Go")).click()
    expect(page.locator(".messagelist")).to_contain_text("confirmed")
    page.get_by_role("link", name="Stock movements").click()
    expect(page.locator("#result_list tbody tr").first).to_be_visible()


def test_a_sale_leads_to_its_document_its_movements_and_its_evidence(page: Page, site: Site) -> None:
    log_in(page, site, "admin")
    search = page.get_by_role("searchbox", name="Search everything")
    search.fill("Ah Hock")
    search.press("Enter")
    expect(page.get_by_role("heading", name="Found for Ah Hock")).to_be_visible()
    page.locator(".found", has_text="Transactions").get_by_role("link").first.click()
    sale = page.url
    expect(page.get_by_role("link", name="PDF").first).to_be_visible()
    pdf = page.context.request.get(page.get_by_role("link", name="PDF").first.evaluate("link => link.href"))
    assert (pdf.status, pdf.headers["content-type"], pdf.body()[:5]) == (200, "application/pdf", b"%PDF-")
    page.get_by_role("link", name="Stock movements").click()
    expect(page.locator("#result_list tbody tr").first).to_be_visible()
    page.goto(sale)
    page.get_by_role("link", name="Audit records").click()
    page.locator("#result_list tbody th a").first.click()
    expect(page.locator("table.changes")).to_be_visible()


def test_a_sale_is_voided_with_a_reason(page: Page, site: Site) -> None:
    log_in(page, site, "supervisor")
    page.get_by_role("link", name="Transactions").click()
    # Not the one whose meter may have moved on since.
    row = page.locator("#result_list tbody tr", has_text="Completed", has_not_text="Hup Lee").first
    number = row.locator("th").inner_text()
    row.locator("th a").click()
    page.locator("select[name$=action]").select_option("void")
    page.get_by_role("button", name=re.compile("Run|Go")).click()
    page.get_by_label("Reason").fill("Entered for the wrong customer")
    page.get_by_role("button", name="Void the sale").click()
    expect(page.locator(".messagelist")).to_contain_text("voided")
    page.get_by_role("searchbox", name="Search everything").fill(number)
    page.get_by_role("searchbox", name="Search everything").press("Enter")
    page.locator(".found", has_text="Transactions").get_by_role("link").first.click()
    expect(page.locator(".field-state .badge").first).to_contain_text("Voided")


def test_a_report_and_a_list_are_taken_away(page: Page, site: Site) -> None:
    log_in(page, site, "admin")
    page.get_by_role("link", name="Invoices", exact=True).click()
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    rows = list(csv.reader(download.value.path().read_text(encoding="utf-8-sig").splitlines()))
    assert len(rows) > 30
    page.goto(f"http://127.0.0.1:{site.port}/admin/reports/sales-summary/")
    expect(page.locator("table.report-rows tbody tr").first).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name=re.compile("Excel|XLSX", re.IGNORECASE)).first.click()
    assert download.value.suggested_filename.endswith(".xlsx")


def test_a_cylinder_is_sold_through_swagger_ui(page: Page, site: Site) -> None:
    """As a newcomer does it: log in, authorise, try it out with the example as it stands."""
    page.goto(f"http://127.0.0.1:{site.port}/api/schema/swagger-ui/")
    page.set_viewport_size({"width": 1400, "height": 1600})

    def try_out(path: str) -> str:
        operation = page.locator(".opblock-post").filter(has=page.locator(f'[data-path="{path}"]'))
        operation.locator(".opblock-summary-control").first.click()
        operation.get_by_role("button", name="Try it out").click()
        operation.get_by_role("button", name="Execute").click()
        answer = operation.locator(".live-responses-table .response-col_description .highlight-code").first
        answer.wait_for()
        return answer.inner_text()

    page.locator("#operations-tag-Tokens").click()
    found = re.search(r'"access": "([^"]+)"', try_out("/api/token/"))
    assert found
    page.get_by_role("button", name="Authorize").first.click()
    page.locator(".auth-container input").fill(found[1])
    page.locator(".auth-btn-wrapper").get_by_role("button", name="Apply credentials").or_(
        page.locator(".auth-btn-wrapper .authorize")
    ).first.click()
    page.locator(".auth-btn-wrapper .btn-done").click()
    page.locator("#operations-tag-Sales").click()
    assert '"invoice_number": "INV-' in try_out("/api/transactions/")


def found(page: Page, site: Site, path: str) -> int:
    """How many rows a list of the office has."""
    other = page.context.new_page()
    other.goto(f"http://127.0.0.1:{site.port}/admin/{path}")
    rows = other.locator("#result_list tbody tr").count()
    other.close()
    return rows


def test_a_double_click_records_a_payment_once(page: Page, site: Site) -> None:
    log_in(page, site, "admin")
    page.goto(f"http://127.0.0.1:{site.port}/admin/invoices/payment/add/")
    page.locator(".field-customer .select2-selection").click()
    page.locator(".select2-search__field").fill("Ah Hock")
    page.locator(".select2-results__option", has_text="Ah Hock").first.click()
    page.get_by_label("Method").select_option("CASH")
    page.get_by_label("Amount").fill("12.34")
    page.get_by_label("Reference").fill("twice")
    page.get_by_role("button", name="Save", exact=True).dblclick()
    expect(page.locator(".messagelist")).to_be_visible()
    assert found(page, site, "invoices/payment/?q=twice") == 1


def test_back_and_save_record_a_customer_once(page: Page, site: Site) -> None:
    log_in(page, site, "admin")
    page.goto(f"http://127.0.0.1:{site.port}/admin/customers/customer/add/")
    page.locator("#id_name").fill("Twice Stall")
    save = page.get_by_role("button", name="Save", exact=True)
    save.click()
    expect(page.locator(".messagelist")).to_contain_text("added")
    page.go_back()
    expect(page.locator("#id_name")).to_have_value("Twice Stall")
    save.click()
    expect(page.locator(".messagelist")).to_contain_text("recorded already")
    assert found(page, site, "customers/customer/?q=Twice") == 1
    page.go_back()
    page.locator("#id_name").fill("Twice and Thrice Stall")
    save.click()
    expect(page.locator(".errornote")).to_be_visible()
    expect(page.locator(".messagelist")).to_contain_text("recorded by this form already")
    page.screenshot(path="var/screenshots/office-given-back.png")
    assert found(page, site, "customers/customer/?q=Twice") == 1
    save.click()
    expect(page.locator(".messagelist")).to_contain_text("added")
    assert found(page, site, "customers/customer/?q=Twice") == 2


def test_an_action_is_confirmed_once(page: Page, site: Site) -> None:
    log_in(page, site, "admin")
    page.goto(f"http://127.0.0.1:{site.port}/admin/transactions/transaction/")
    page.locator("#result_list tbody tr", has_text="Completed").nth(3).locator("th a").click()
    page.locator("select[name$=action]").select_option("void")
    page.get_by_role("button", name=re.compile("Run|Go")).click()
    page.get_by_label("Reason").fill("Entered for the wrong customer")
    page.get_by_role("button", name="Void the sale").dblclick()
    expect(page.locator(".messagelist")).to_contain_text("voided")
    expect(page.locator(".messagelist .error")).to_have_count(0)
