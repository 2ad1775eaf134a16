"""Routes. Each app's views are registered here, so that one page shows the whole API."""

from django.contrib import admin
from django.urls import include, path, re_path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularAPIView, SpectacularRedocView, SpectacularSwaggerSplitView
from rest_framework.routers import SimpleRouter

from accounts.views import (
    AssignmentViewSet,
    BlacklistView,
    LogInView,
    MeView,
    RefreshView,
    UserViewSet,
    VehicleDriverViewSet,
)
from audit import seals  # noqa: F401 -- its figures are in /metrics
from audit.views import AuditLogViewSet, ConfirmationViewSet
from customers.views import CustomerViewSet
from depots.views import DepotViewSet
from discrepancies.views import DiscrepancyViewSet
from distribution.views import DistributionViewSet
from equipment.views import EquipmentViewSet
from fleet.views import VehicleViewSet
from foundation.api.errors import not_found
from foundation.observability.health import LiveView, ReadyView
from foundation.observability.metrics import metrics
from inventory.views import (
    DepotWorkViewSet,
    InventoryViewSet,
    VehicleCountViewSet,
    VehicleGoodsViewSet,
    VehicleTransferViewSet,
)
from invoices.views import GstRateViewSet, InvoiceViewSet
from payments.views import (
    CashCountViewSet,
    CustomerPaymentViewSet,
    ExpenseViewSet,
    InvoicePaymentViewSet,
    PaymentViewSet,
    PayoutViewSet,
    SetOffViewSet,
)
from periods.views import GstReturnViewSet, PeriodViewSet
from reports.views import CustomerStatementViewSet, ReportViewSet
from settlements.views import SettlementViewSet
from sync.views import DeviceViewSet, PullView, PushView, SyncConflictViewSet
from transactions.views import CustomerSiteViewSet, InvoiceCreditViewSet, TransactionViewSet

router = SimpleRouter()
router.register("accounts/users", UserViewSet, basename="user")
router.register("depots", DepotViewSet, basename="depot")
router.register("equipment", EquipmentViewSet, basename="equipment")
router.register("vehicles", VehicleViewSet, basename="vehicle")
router.register("vehicles", VehicleDriverViewSet, basename="vehicle-driver")
router.register("vehicles", VehicleGoodsViewSet, basename="vehicle-goods")
router.register("vehicle-assignments", AssignmentViewSet, basename="vehicle-assignment")
router.register("vehicle-transfers", VehicleTransferViewSet, basename="vehicle-transfer")
router.register("customers", CustomerViewSet, basename="customer")
router.register("customers", CustomerSiteViewSet, basename="customer-site")
router.register("customers", CustomerPaymentViewSet, basename="customer-payment")
router.register("customers", CustomerStatementViewSet, basename="customer-statement")
router.register("gst-rates", GstRateViewSet, basename="gst-rate")
router.register("inventories", InventoryViewSet, basename="inventory")
router.register("depot-work", DepotWorkViewSet, basename="depot-work")
router.register("distributions", DistributionViewSet, basename="distribution")
router.register("transactions", TransactionViewSet, basename="transaction")
router.register("invoices", InvoiceViewSet, basename="invoice")
router.register("invoices", InvoicePaymentViewSet, basename="invoice-payment")
router.register("invoices", InvoiceCreditViewSet, basename="invoice-credit")
router.register("payments", PaymentViewSet, basename="payment")
router.register("payouts", PayoutViewSet, basename="payout")
router.register("set-offs", SetOffViewSet, basename="set-off")
router.register("vehicle-counts", VehicleCountViewSet, basename="vehicle-count")
router.register("cash-counts", CashCountViewSet, basename="cash-count")
router.register("expenses", ExpenseViewSet, basename="expense")
router.register("settlements", SettlementViewSet, basename="settlement")
router.register("periods", PeriodViewSet, basename="period")
router.register("gst-returns", GstReturnViewSet, basename="gst-return")
router.register("reports", ReportViewSet, basename="report")
router.register("sync/devices", DeviceViewSet, basename="device")
router.register("sync/conflicts", SyncConflictViewSet, basename="conflict")
router.register("discrepancies", DiscrepancyViewSet, basename="discrepancy")
router.register("confirmations", ConfirmationViewSet, basename="confirmation")
router.register("audit", AuditLogViewSet, basename="audit")

api = [
    path("token/", LogInView.as_view(), name="token"),
    path("token/refresh/", RefreshView.as_view(), name="token-refresh"),
    path("token/blacklist/", BlacklistView.as_view(), name="token-blacklist"),
    path("accounts/me/", MeView.as_view(), name="me"),
    path("sync/push/", PushView.as_view(), name="sync-push"),
    path("sync/pull/", PullView.as_view(), name="sync-pull"),
    path("health/live/", LiveView.as_view(), name="health-live"),
    path("health/ready/", ReadyView.as_view(), name="health-ready"),
    path("schema/", SpectacularAPIView.as_view(), name="schema"),
    path("schema/swagger-ui/", SpectacularSwaggerSplitView.as_view(), name="swagger-ui"),
    path("schema/redoc/", SpectacularRedocView.as_view(), name="redoc"),
    *router.urls,
    re_path(r"", not_found, name="api-not-found"),
]

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/", admin.site.urls),
    path("api/", include(api)),
    path("metrics", metrics),
]
