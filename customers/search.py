"""Finding documents among millions: by their number, or by whose they are."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest
from rest_framework.request import Request
from rest_framework.views import APIView

from customers.models import Customer
from foundation.api.filters import BoundedSearchFilter
from foundation.office.generic import ModelAdmin

CUSTOMERS_AT_MOST = 200
_LAST = "\U0010ffff"
"""Sorts behind every text, in SQLite's binary order and in MariaDB's collations."""


def find_documents[M: Model](
    queryset: QuerySet[M], text: str, fields: Mapping[str, str], *, customer: str = "customer"
) -> QuerySet[M]:
    """The documents whose number starts with ``text``, or that belong to customers with all its words in name or code.

    ``fields`` names the field that holds the numbers of a prefix ("pk" where they are the keys, as in PAY-000091); ""
    is a field that is compared with any text. No
    search reads a whole table of documents: customers are looked up first (the first 200 by code), and numbers have
    an order. Documents found by number come in that order, the highest first.
    """
    text = text.strip()
    if not text:
        return queryset
    prefix = text.upper().partition("-")[0]
    if "-" in text and (field := fields.get(prefix)):
        return _numbered(queryset, field, text.upper())
    known = Customer.objects.order_by("customer_code")
    for word in text.split():
        known = known.filter(search_name__icontains=word)
    found = Q(**{f"{customer}__in": list(known.values_list("pk", flat=True)[:CUSTOMERS_AT_MOST])})
    if field := fields.get(""):
        found |= Q(**{field: text})
    return queryset.filter(found)


def _numbered[M: Model](queryset: QuerySet[M], field: str, text: str) -> QuerySet[M]:
    if field == "pk":
        digits = text.partition("-")[2]
        is_key = digits.isascii() and digits.isdigit() and len(digits) <= 18
        return queryset.filter(pk=int(digits)) if is_key else queryset.none()
    # LIKE would need no second bound, but finds nothing by an index of SQLite's.
    return queryset.filter(**{f"{field}__gte": text, f"{field}__lt": text + _LAST}).order_by(f"-{field}")


class DocumentSearch(BoundedSearchFilter):
    """``?search=`` of lists of documents; the view's ``documents`` are the ``fields`` of `find_documents`."""

    search_description = "The beginning of a document's number (`INV-202601`), or words of the customer's name or code."

    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: APIView) -> QuerySet[Any]:
        self.require_sane(request)
        words = " ".join(self.get_search_terms(request))
        return find_documents(queryset, words, view.documents)  # type: ignore[attr-defined]  # of the views it filters


class SearchesDocuments[M: Model](ModelAdmin[M]):
    """The same for an office list: ``documents`` are the fields of `find_documents`."""

    documents: ClassVar[Mapping[str, str]]

    def get_search_fields(self, request: HttpRequest) -> tuple[str, ...]:
        return ("pk",)  # what isn't empty gives the list a search box

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[M], search_term: str
    ) -> tuple[QuerySet[M], bool]:
        return find_documents(queryset, search_term, self.documents), False
