"""Settings, view and page. `python -m benchmarks.plain.app DRIVERS` makes the tables and what is sold from."""

import os
import sys
from decimal import Decimal

import django
from django.conf import settings

os.environ.pop("FONTCONFIG_FILE", None)  # our documents' own fonts, where our program started this one
_MYSQL = {"ENGINE": "django.db.backends.mysql"} | {
    name: os.environ.get(f"DB_{name}", "") for name in ("NAME", "HOST", "PORT", "USER", "PASSWORD")
}
_SQLITE = {"ENGINE": "django.db.backends.sqlite3", "NAME": os.environ["DB_NAME"]}
settings.configure(
    SECRET_KEY=os.environ["SECRET_KEY"], ALLOWED_HOSTS=["127.0.0.1"], ROOT_URLCONF="benchmarks.plain.app", USE_TZ=True,
    MEDIA_ROOT=os.environ["MEDIA_ROOT"], DATABASES={"default": _MYSQL if os.environ["DB_ENGINE"] == "mysql" else _SQLITE},
    INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "rest_framework", "benchmarks.plain"],
    REST_FRAMEWORK={
        "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework_simplejwt.authentication.JWTAuthentication"],
        "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    },
)  # fmt: skip
django.setup()

from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.db import transaction
from django.http import HttpResponse
from django.template import Context, Engine
from django.urls import path
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework_simplejwt.views import TokenObtainPairView
from weasyprint import HTML

from benchmarks.plain.models import Counter, Customer, Equipment, Invoice, Item, Sale, Stock

PAGE = Engine().from_string("""<html><head><style>
@page { size: A4; margin: 16mm } body { font: 9pt sans-serif } h1 { text-align: right } td, th { padding: 5pt; text-align: left }
table { width: 100%; border-collapse: collapse } tr { border-bottom: 1pt solid #ccc }
</style></head><body><h1>Tax Invoice</h1><p>{{ invoice.number }}<br>{{ sale.created_at }}</p>
<p><b>HSH LPG Pte. Ltd.</b><br>21 Tuas South Avenue 3, Singapore 637366<br>GST Reg. No. M2-0123456-7</p>
<p><b>{{ sale.customer.name }}</b><br>{{ sale.customer.address }}</p>
<table><tr><th>Description</th><th>Type</th><th>Quantity</th><th>Rate</th><th>Amount (S$)</th></tr>
{% for item in sale.items.all %}<tr><td>{{ item.equipment.name }}</td><td>{{ item.type }}</td><td>{{ item.quantity }}</td>
<td>{{ item.rate }}</td><td>{{ item.amount }}</td></tr>{% endfor %}
<tr><td>Gas by meter</td><td>{{ before }} to {{ sale.customer.last_meter_reading }}</td><td></td><td></td><td>{{ gas }}</td></tr>
</table><p>Total before GST {{ sale.total }}<br>GST 9% {{ invoice.gst }}<br><b>Total payable {{ invoice.total }}</b></p></body></html>""")


class ItemIn(serializers.Serializer[Item]):
    equipment = serializers.PrimaryKeyRelatedField(queryset=Equipment.objects.all())
    type = serializers.CharField(max_length=8)
    quantity = serializers.IntegerField(min_value=1)


class SaleIn(serializers.Serializer[Sale]):
    customer = serializers.PrimaryKeyRelatedField(queryset=Customer.objects.all())
    items = ItemIn(many=True)
    current_meter = serializers.DecimalField(max_digits=12, decimal_places=2)


class InvoiceOut(serializers.ModelSerializer[Invoice]):
    class Meta:
        model = Invoice
        fields = "__all__"
        depth = 1


def next_number(name: str) -> str:
    counter = Counter.objects.select_for_update().get(name=name)
    counter.value += 1
    counter.save()
    return f"{name}-{counter.value:06d}"


class Sales(APIView):
    @transaction.atomic
    def post(self, request: Request) -> Response:
        sent = SaleIn(data=request.data)
        sent.is_valid(raise_exception=True)
        customer, user = sent.validated_data["customer"], request.user
        sale = Sale.objects.create(number=next_number("TRX"), customer=customer, user=user)
        for line in sent.validated_data["items"]:
            equipment, quantity = line["equipment"], line["quantity"]
            stock = Stock.objects.select_for_update().get(user=user, equipment=equipment)
            if stock.quantity < quantity:
                raise serializers.ValidationError("Not enough stock.")
            stock.quantity -= quantity
            stock.save()
            amount = quantity * equipment.rate
            Item.objects.create(sale=sale, amount=amount, rate=equipment.rate, **line)
            sale.total += amount
        before, customer.last_meter_reading = customer.last_meter_reading, sent.validated_data["current_meter"]
        gas = (customer.last_meter_reading - before) * customer.meter_rate
        customer.save()
        sale.total += gas
        sale.save()
        gst = round(sale.total * 9 / 100, 2)
        invoice = Invoice(number=next_number("INV"), sale=sale, gst=gst, total=sale.total + gst)
        page = PAGE.render(Context({"invoice": invoice, "sale": sale, "before": before, "gas": gas}))
        invoice.pdf.save(f"{invoice.number}.pdf", ContentFile(HTML(string=page).write_pdf()))
        return Response(InvoiceOut(invoice).data, status=201)


urlpatterns = [
    path("api/health/live/", lambda _: HttpResponse()),
    path("api/token/", TokenObtainPairView.as_view()),
    path("api/transactions/", Sales.as_view()),
]
application = get_wsgi_application()


def prepare(drivers: int) -> None:
    call_command("migrate", verbosity=0)  # the users' tables first: ours refer to them, and have no migrations
    call_command("migrate", run_syncdb=True, verbosity=0)
    Counter.objects.bulk_create(Counter(name=name) for name in ("TRX", "INV"))
    equipment = Equipment.objects.create(name="LPG cylinder 14 kg", rate=Decimal("28.50"))
    for number in range(drivers):
        user = User.objects.create_user(f"driver{number}", password="correct horse battery")
        Customer.objects.create(
            name=f"Kopitiam {number}", address="1 Jalan Besar, Singapore 208787", last_meter_reading=1200, meter_rate=Decimal("2.15")
        )  # fmt: skip
        Stock.objects.create(user=user, equipment=equipment, quantity=1_000_000)


if __name__ == "__main__":
    prepare(int(sys.argv[1]))
