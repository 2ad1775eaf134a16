"""Which reports there are: the API, the office and their files all go by this one list."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from rest_framework.serializers import Serializer

from accounts.models import User
from accounts.selectors import depot_at, worked_within
from foundation import clock
from foundation.access.capabilities import Capability, Scope
from foundation.access.scoping import rows_within
from foundation.errors import UnknownReference
from foundation.infrastructure.replica import may_lag
from reports import figures
from reports.report import Report
from reports.serializers import (
    AsOfQuery,
    ConservationOut,
    DepositsReportOut,
    DriverDayOut,
    DriverDayQuery,
    GstDocumentsOut,
    GstF5Out,
    GstOut,
    GstReturnQuery,
    MispricedOut,
    MispricedQuery,
    MomentQuery,
    PeriodQuery,
    ReceivablesOut,
    SalesQuery,
    SalesSummaryOut,
    StockOut,
)

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Listed:
    name: str
    """As in the addresses of its pages."""
    title: str
    capability: Capability
    query: type[Serializer[Any]]
    answer: type[Serializer[Any]]
    make: Callable[..., Report]
    """Makes it for a reader, from what the query asks but its format."""

    def of(self, user: User, **asked: object) -> Report:
        """The report as its reader may see it; of a replica, where there is one."""
        with may_lag():
            return self.make(user, **asked)


def _conservation(user: User, *, at: datetime | None) -> Report:
    return figures.conservation(at=at)


def _deposits(user: User, *, as_of: date, customer: int | None) -> Report:
    return figures.deposits(as_of=as_of, customer=customer)


def _driver_day(user: User, *, driver: int | None, date: date) -> Report:
    if driver is None or driver == user.pk:
        return figures.driver_day(user, day=date)
    found = worked_within(user, Capability.REPORT_DRIVER_DAY).filter(pk=driver).first()
    if found is None or not _worked_within(user, found, date):
        raise UnknownReference(driver, attr="driver")
    return figures.driver_day(found, day=date, within=rows_within(user, Capability.REPORT_DRIVER_DAY))


def _worked_within(user: User, driver: User, day: date) -> bool:
    """Did a driver work at the reader's depot at the beginning or the end of a day, where it is by depot?"""
    if user.scope(Capability.REPORT_DRIVER_DAY) is not Scope.DEPOT:
        return True
    return user.depot_id in (depot_at(driver, clock.end_of(day - DAY)), depot_at(driver, clock.end_of(day)))


SALES_SUMMARY = Listed(
    "sales-summary", "Sales summary", Capability.REPORT_SALES, SalesQuery, SalesSummaryOut, figures.sales_summary
)
GST = Listed("gst", "GST by month", Capability.REPORT_SALES, PeriodQuery, GstOut, figures.gst)
GST_F5 = Listed("gst-f5", "GST F5", Capability.REPORT_GST, GstReturnQuery, GstF5Out, figures.gst_f5)
GST_DOCUMENTS = Listed(
    "gst-documents",
    "Documents of a GST return",
    Capability.REPORT_GST,
    GstReturnQuery,
    GstDocumentsOut,
    figures.gst_documents,
)
MISPRICED = Listed(
    "mispriced", "Priced otherwise", Capability.REPORT_SALES, MispricedQuery, MispricedOut, figures.mispriced
)
STOCK = Listed("stock", "Stock", Capability.REPORT_STOCK, MomentQuery, StockOut, figures.stock)
CONSERVATION = Listed(
    "conservation",
    "Conservation of cylinders",
    Capability.REPORT_CONSERVATION,
    MomentQuery,
    ConservationOut,
    _conservation,
)
DRIVER_DAY = Listed(
    "driver-day", "A driver's day", Capability.REPORT_DRIVER_DAY, DriverDayQuery, DriverDayOut, _driver_day
)
RECEIVABLES = Listed(
    "receivables", "Receivables", Capability.REPORT_SALES, AsOfQuery, ReceivablesOut, figures.receivables
)
DEPOSITS = Listed("deposits", "Deposits held", Capability.REPORT_DEPOSITS, AsOfQuery, DepositsReportOut, _deposits)

REPORTS = (SALES_SUMMARY, GST, GST_F5, GST_DOCUMENTS, MISPRICED, RECEIVABLES, DEPOSITS, STOCK, CONSERVATION, DRIVER_DAY)
