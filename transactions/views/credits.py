"""Credit notes in part over HTTP."""

from typing import Any

from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.status import HTTP_201_CREATED

from accounts.requests import acting_user
from foundation.access.capabilities import Capability
from foundation.api.viewsets import ScopedViewSet
from invoices.models import Invoice
from transactions import openapi, services
from transactions.models import Transaction
from transactions.serializers import CreditIn, SaleOut
from transactions.views.sales import documents_of


class InvoiceCreditViewSet(ScopedViewSet):
    """What is taken back of an invoice. Its route lies under the invoice's own."""

    queryset = Invoice.objects.all()
    serializer_class = SaleOut
    capability = {"credit": Capability.CREDIT_INVOICE}

    @openapi.credit_invoice
    @action(detail=True, methods=["post"])
    def credit(self, request: Request, pk: str) -> Response:
        serializer = CreditIn(data=request.data)
        serializer.is_valid(raise_exception=True)
        credited: Any = services.credit_invoice(
            actor=acting_user(request), data=serializer.command(self.get_object().pk)
        )
        credited.status = Transaction.Status.COMPLETED
        answer = SaleOut(documents_of(credited, is_new=True), context=self.get_serializer_context())
        return Response(answer.data, status=HTTP_201_CREATED)
