"""The company as its documents name it, and its rules with a number in them."""

from datetime import timedelta

from core.settings.base import config

COMPANY = {
    "name": config("COMPANY_NAME", default="HSH LPG Pte. Ltd."),
    "address": config("COMPANY_ADDRESS", default="").replace("|", "\n"),
    "postal_code": config("COMPANY_POSTAL_CODE", default=""),
    "uen": config("COMPANY_UEN", default=""),
    "gst_registration_no": config("COMPANY_GST_REGISTRATION_NO", default=""),
    "email": config("COMPANY_EMAIL", default=""),
    "phone": config("COMPANY_PHONE", default=""),
}

OCCURRED_AT_MAX_AGE = timedelta(days=config("OCCURRED_AT_MAX_AGE_DAYS", default=7, cast=int))
OCCURRED_AT_MAX_AHEAD = timedelta(minutes=config("OCCURRED_AT_MAX_AHEAD_MINUTES", default=5, cast=int))
