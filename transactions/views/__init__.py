"""Sales and customers' sites over HTTP, a module for each."""

from transactions.views.credits import InvoiceCreditViewSet
from transactions.views.sales import TransactionViewSet
from transactions.views.sites import CustomerSiteViewSet

__all__ = ["CustomerSiteViewSet", "InvoiceCreditViewSet", "TransactionViewSet"]
