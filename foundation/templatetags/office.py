"""How the office's pages write what they show."""

from datetime import date
from decimal import Decimal

from django import template

from foundation.money import shown

register = template.Library()


@register.filter
def figure(value: Decimal | int | date | str | None) -> str:
    """1234.5 of money as 1,234.50; 1234 pieces as 1,234; anything else as it is; nothing as a dash."""
    match value:
        case None | "":
            return "–"
        case Decimal():
            return shown(value)
        case int():
            return f"{value:,}"
        case _:
            return str(value)
