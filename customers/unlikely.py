"""What is unlikely of a customer: that it is another one, entered twice."""

from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal

from django.db.models import Q
from django.db.models.lookups import EndsWith

from customers.errors import CustomerLikeAnother, MeterNumberInUse
from customers.models import Customer, CustomerRate
from equipment.errors import RateUnlikely
from equipment.models import Equipment
from equipment.unlikely import counts_from_past, unlikely_rate
from foundation import clock
from foundation.confirmations import NameUnprintable, Question, unprinted
from foundation.searching import alike, bare, bare_column

OF_CUSTOMERS = (CustomerLikeAnother, MeterNumberInUse, RateUnlikely, NameUnprintable)
DIGITS_OF_PHONE = 8
"""What tells phones apart in Singapore: with or without its country's code."""


def unlikely_customer(values: Mapping[str, object], customer: Customer | None = None) -> Iterator[Question]:
    """All that is asked of a customer that is added, or (``customer``) changed, with these values."""

    def now(name: str) -> str:
        return str(values.get(name, getattr(customer, name, "")) or "").strip()

    others = Customer.objects.exclude(pk=customer.pk) if customer else Customer.objects.all()
    named = alike("name", now("name"))
    looked_for = {
        "phone": _same_phone(now("phone")),
        "uen": alike("uen", now("uen")),
        "name": named & Q(postal_code=now("postal_code")) if named and now("postal_code") else None,
    }
    for attr, same in looked_for.items():
        changed = {attr, "postal_code"} if attr == "name" else {attr}
        if same is None or not any(_is_new(name, values, customer) for name in changed):
            continue
        other = others.filter(same).order_by("pk").first()
        if other is not None:
            detail = f"{other} has the same {_CALLED[attr]}."
            yield CustomerLikeAnother(detail, attr=attr, value=now(attr))
    is_back = customer is not None and not customer.is_active and bool(values.get("is_active"))
    if is_back or _is_new("meter_number", values, customer):
        yield from meter_in_use(now("meter_number"), but=customer.pk if customer else None)
    if _is_new("meter_rate", values, customer):
        rate = values["meter_rate"]
        before = customer.meter_rate if customer else None
        yield from unlikely_rate(rate, before, attr="meter_rate")  # type: ignore[arg-type]  # of a serializer's field
    yield from unprinted(values, customer, "name", "address")


def unlikely_contract(
    customer: Customer, equipment: Equipment, rate: Decimal | None, valid_from: date
) -> Iterator[Question]:
    """All that is asked of a contract rate. The price before its date is the contract's, or what all pay."""
    earlier = CustomerRate.objects.filter(customer=customer, equipment=equipment, valid_from__lt=valid_from)
    last = earlier.order_by("-valid_from", "-pk").first()
    before = last.rate if last and last.rate is not None else equipment.default_rate
    yield from unlikely_rate(rate, before, attr="rate", of=equipment.sku)
    yield from counts_from_past(valid_from, today=clock.business_date(clock.now()), of=equipment.sku)


def meter_in_use(number: str, *, but: int | None, attr: str = "meter_number") -> Iterator[MeterNumberInUse]:
    """Ask about a meter number that an active customer has already; not ``but``."""
    same = alike("meter_number", number)
    if same is None:
        return
    others = Customer.objects.filter(same, is_active=True).exclude(pk=but)
    if other := others.order_by("pk").first():
        yield MeterNumberInUse(f"{other} has a meter of this number.", attr=attr, value=number)


def _is_new(name: str, values: Mapping[str, object], customer: Customer | None) -> bool:
    return bool(values.get(name) not in ("", None)) and (customer is None or values[name] != getattr(customer, name))


def _same_phone(phone: str) -> Q | None:
    digits = "".join(character for character in bare(phone) if character.isdigit())[-DIGITS_OF_PHONE:]
    is_one = len(digits) == DIGITS_OF_PHONE and len(set(digits)) > 1
    return Q(EndsWith(bare_column("phone"), digits)) if is_one else None


_CALLED = {"phone": "phone number", "uen": "UEN", "name": "name and postal code"}
