"""May this company issue its documents? Asked of production's settings, by ``check --deploy``."""

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register

from foundation.registration import as_gst_number, as_uen

_NEEDED = {"name": "COMPANY_NAME", "address": "COMPANY_ADDRESS", "uen": "COMPANY_UEN"}


@register(Tags.compatibility, deploy=True)
def company_can_issue(**_: object) -> list[CheckMessage]:
    """A tax invoice names its supplier's name, address and GST number (GST (General) Regulations, reg. 11(1))."""
    company = settings.COMPANY
    errors: list[CheckMessage] = [
        Error(f"{setting} is empty: every document has to name it.", id="invoices.E001")
        for name, setting in _NEEDED.items()
        if not company[name].strip()
    ]
    if wrong := as_uen(company["uen"]).wrong:
        errors.append(Error(f"COMPANY_UEN: {wrong}", id="invoices.E002"))
    number = company["gst_registration_no"]
    if settings.COMPANY_GST_REGISTERED and not number.strip():
        hint = "Not registered for GST? Then say so: COMPANY_GST_REGISTERED=False."
        errors.append(Error("COMPANY_GST_REGISTRATION_NO is empty.", hint=hint, id="invoices.E003"))
    if wrong := as_gst_number(number).wrong:
        errors.append(Error(f"COMPANY_GST_REGISTRATION_NO: {wrong}", id="invoices.E004"))
    return errors
