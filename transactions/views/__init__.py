"""Sales, customers' sites and day-ends over HTTP, a module for each."""

from transactions.views.sales import TransactionViewSet
from transactions.views.settlements import SettlementViewSet
from transactions.views.sites import CustomerSiteViewSet

__all__ = ["CustomerSiteViewSet", "SettlementViewSet", "TransactionViewSet"]
