"""``manage.py begin_prices``: prices and meter rates whose date has come. For cron, every few minutes."""

from django.core.management.base import BaseCommand

from customers import selectors as customers
from customers.services import take_over_meter_rate
from equipment import selectors as equipment
from equipment.services import take_over_prices
from foundation import clock


class Command(BaseCommand):
    help = (
        "Lets equipment and customers say the price and the meter's rate whose date has come, so that lists show them "
        "and apps hear of them. Sales are priced right without it."
    )

    def handle(self, *args: object, **options: object) -> None:
        now = clock.now()
        prices = sum(take_over_prices(equipment_id=pk) for pk in equipment.to_be_taken_over(now))
        rates = sum(take_over_meter_rate(customer_id=pk) for pk in customers.to_be_taken_over(now))
        self.stdout.write(f"Of {prices} items the price has begun, of {rates} customers the meter's rate.")
