"""Where cylinders are: locations, balances, and the double-entry ledger that moves them."""

from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Exists, F, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce

from accounts.models import User
from customers.models import Customer
from depots.models import Depot
from equipment.models import Equipment
from fleet.models import Vehicle
from fleet.selectors import of_depot
from foundation.access.capabilities import Capability, Scope
from foundation.access.scoping import rows_within
from foundation.columns import in_columns
from foundation.infrastructure.expressions import by_value
from foundation.ledger.models import LedgerModel, LedgerQuerySet
from foundation.operations.models import OperationRecord, Ordered


class Condition(models.TextChoices):
    FULL = "FULL", "Full"
    EMPTY = "EMPTY", "Empty"
    DAMAGED = "DAMAGED", "Damaged"


class LocationKind(models.TextChoices):
    DEPOT = "DEPOT", "Depot"
    VEHICLE = "VEHICLE", "Vehicle"
    CUSTOMER = "CUSTOMER", "Customer"
    FIELD = "FIELD", "Field: with drivers who have no vehicle"
    OUTSIDE = "OUTSIDE", "Outside: the rest of the world"


VIRTUAL_KINDS = (LocationKind.FIELD, LocationKind.OUTSIDE)
"""Locations whose balance may be negative: it is what is unreconciled."""


def _locations_of(user: User, prefix: str = "", *, customers: bool = True) -> Q:
    """The locations whose stock a user may see, as a condition on the Location behind ``prefix``."""
    kind = f"{prefix}kind"
    condition = Q(pk__in=())
    match user.scope(Capability.VIEW_DEPOT_STOCK):
        case Scope.ALL:
            condition |= Q(**{kind: LocationKind.DEPOT})
        case Scope.DEPOT if user.depot_id:
            condition |= Q(**{f"{prefix}depot_id": user.depot_id})
    match user.scope(Capability.VIEW_VEHICLE_STOCK):
        case Scope.ALL:
            condition |= Q(**{kind: LocationKind.VEHICLE})
        case Scope.DEPOT if user.depot_id:
            vehicles = Vehicle.objects.filter(depot=user.depot_id).values("number")
            condition |= Q(**{f"{prefix}vehicle_no__in": vehicles})
        case Scope.OWN if user.vehicle_no:
            condition |= Q(**{f"{prefix}vehicle_no": user.vehicle_no})
    if customers and user.can(Capability.VIEW_CUSTOMER_STOCK):
        condition |= Q(**{kind: LocationKind.CUSTOMER})
    if user.can(Capability.VIEW_VIRTUAL_STOCK):
        condition |= Q(**{f"{kind}__in": VIRTUAL_KINDS})
    return condition


class LocationQuerySet(models.QuerySet["Location"]):
    def visible_to(self, user: User) -> Self:
        return self.filter(_locations_of(user))


class Location(models.Model):
    """Where stock can be. ``key`` says which depot, vehicle or customer, and is what makes it unique."""

    entity = "inventory.location"

    kind = models.CharField(max_length=8, choices=LocationKind)
    key = models.CharField(max_length=32, unique=True, editable=False)
    depot = models.OneToOneField(Depot, on_delete=models.PROTECT, null=True, blank=True, related_name="location")
    customer = models.OneToOneField(Customer, on_delete=models.PROTECT, null=True, blank=True, related_name="location")
    vehicle_no = models.CharField(max_length=16, blank=True, db_index=True)

    objects = LocationQuerySet.as_manager()

    class Meta:
        ordering = ("kind", "key")

    def __str__(self) -> str:
        match self.kind:
            case LocationKind.DEPOT:
                return f"depot {self.depot}"
            case LocationKind.CUSTOMER:
                return f"customer {self.customer}"
            case LocationKind.VEHICLE:
                return f"vehicle {self.vehicle_no}"
            case _:
                return str(self.kind)

    @property
    def is_virtual(self) -> bool:
        return self.kind in VIRTUAL_KINDS


class InventoryQuerySet(models.QuerySet["Inventory"]):
    def visible_to(self, user: User) -> Self:
        return self.filter(_locations_of(user, "location__"))


class Inventory(models.Model):
    """The balance of one equipment in one condition at one location: the sum of its movements."""

    entity = "inventory.inventory"

    location = models.ForeignKey(Location, on_delete=models.PROTECT, related_name="inventories")
    equipment = models.ForeignKey(Equipment, on_delete=models.PROTECT, related_name="inventories")
    condition = models.CharField(max_length=8, choices=Condition)
    quantity = models.IntegerField(default=0)
    may_be_negative = models.BooleanField(
        default=False, editable=False, help_text="The location is virtual; kept here for the database's own check."
    )
    updated_at = models.DateTimeField()

    objects = InventoryQuerySet.as_manager()

    class Meta:
        verbose_name = "stock balance"
        ordering = ("id",)
        constraints = (
            models.UniqueConstraint(fields=("location", "equipment", "condition"), name="inventory_balance_unique"),
            models.CheckConstraint(
                condition=Q(quantity__gte=0) | Q(may_be_negative=True), name="inventory_not_negative"
            ),
            in_columns("inventory", counts=("quantity",)),
        )

    def __str__(self) -> str:
        return f"{self.quantity} {self.condition}"


MANY = 1_000
"""More movements of a place than these aren't put in order for one page."""


class ReorderLevelQuerySet(models.QuerySet["ReorderLevel"]):
    def visible_to(self, user: User) -> Self:
        return self.filter(rows_within(user, Capability.VIEW_DEPOT_STOCK))

    def with_stock(self) -> Self:
        """Each with ``in_stock``: the full ones that its depot has now."""
        full = Inventory.objects.filter(
            location__depot=OuterRef("depot"), equipment=OuterRef("equipment"), condition=Condition.FULL
        )
        return self.annotate(in_stock=Coalesce(Subquery(full.values("quantity")), 0))


class ReorderLevel(models.Model):
    """How many full ones of an equipment a depot wants to have at least; with fewer, the office is told."""

    entity = "inventory.reorderlevel"

    depot = models.ForeignKey(Depot, on_delete=models.PROTECT, related_name="reorder_levels")
    equipment = models.ForeignKey(Equipment, on_delete=models.PROTECT, related_name="reorder_levels")
    quantity = models.PositiveIntegerField(help_text="0: nobody is told.")

    objects = ReorderLevelQuerySet.as_manager()

    class Meta:
        ordering = ("depot__code", "equipment__sku")
        constraints = (
            models.UniqueConstraint(fields=("depot", "equipment"), name="reorderlevel_unique"),
            in_columns("reorderlevel", counts=("quantity",)),
        )

    def __str__(self) -> str:
        return f"{self.equipment} at {self.depot}"


class StockMovementQuerySet(LedgerQuerySet):
    def visible_to(self, user: User) -> Self:
        """What left or reached a depot or vehicle that the user may see, or was moved by them.

        A customer's end alone doesn't open a movement: it would show every driver the others' sales.
        """
        if user.can(Capability.VIEW_VIRTUAL_STOCK):
            return self
        own = Location.objects.filter(_locations_of(user, customers=False)).values("pk")
        # By value: of places where much happens, the newest are found by looking through all.
        values = {f"visible_{end}": by_value(f"{end}_id") for end in ("from_location", "to_location", "user")}
        return self.alias(**values).filter(
            Q(visible_from_location__in=own) | Q(visible_to_location__in=own) | Q(visible_user=user.pk)
        )

    def touching(self, location_id: int) -> Self:
        """What left or reached a place. Where much happens, the newest are found by looking through all."""
        ends = ("from_location_id", "to_location_id")
        known = StockMovement.objects.order_by().values("pk")
        if not any(known.filter(**{end: location_id})[MANY : MANY + 1].exists() for end in ends):
            return self.filter(Q(from_location=location_id) | Q(to_location=location_id))
        values = {f"{end}_value": by_value(end) for end in ends}
        return self.alias(**values).filter(Q(from_location_id_value=location_id) | Q(to_location_id_value=location_id))

    def with_ends(self) -> Self:
        """With equipment, user and both places, read after the page and not joined to it.

        Joined, a planner may begin with the smallest of the tables, read all movements, and sort them for one page
        (MariaDB: 8 s and more among three million).
        """
        return self.prefetch_related(
            "equipment", "user", "from_location__depot", "from_location__customer", "to_location__depot",
            "to_location__customer",
        )  # fmt: skip


class StockMovement(Ordered, LedgerModel):
    """One line of the ledger: ``quantity`` of one equipment from here to there, and why.

    The conditions differ where a full cylinder comes back empty or is refilled. With a ``count`` nothing moved: it
    brings the books to that count, against OUTSIDE.
    """

    entity = "inventory.stockmovement"
    life_cycle = ("ordered_at",)

    class Kind(models.TextChoices):
        DISTRIBUTION_OUT = "DISTRIBUTION_OUT", "Loaded at the depot"
        DISTRIBUTION_IN = "DISTRIBUTION_IN", "Returned to the depot"
        SALE = "SALE", "Sold"
        SWAP_OUT = "SWAP_OUT", "Swapped: full to the customer"
        SWAP_IN = "SWAP_IN", "Swapped: empty from the customer"
        RETURN = "RETURN", "Taken back"
        REFILL = "REFILL", "Refilled"
        GOODS_IN = "GOODS_IN", "Taken in from outside"
        TRANSFER = "TRANSFER", "Passed on to another depot"
        VEHICLE_TRANSFER = "VEHICLE_TRANSFER", "Passed on to another vehicle"
        DAMAGE = "DAMAGE", "Found damaged"
        SCRAP = "SCRAP", "Scrapped"
        STOCK_TAKE = "STOCK_TAKE", "Counted at a stock-take"
        REVERSAL = "REVERSAL", "Reversed"
        VARIANCE = "VARIANCE", "Found at the day-end count"
        CORRECTION = "CORRECTION", "Corrected to the count"
        COMPENSATION = "COMPENSATION", "Counted already"
        SHELL = "SHELL", "Bought or lost by the customer"
        FOREIGN = "FOREIGN", "Another brand's, brought by the customer"
        EXCHANGE = "EXCHANGE", "Given to the brand that owns it"

    equipment = models.ForeignKey(Equipment, on_delete=models.PROTECT, related_name="movements")
    quantity = models.PositiveIntegerField()
    from_location = models.ForeignKey(Location, on_delete=models.PROTECT, related_name="movements_out")
    from_condition = models.CharField(max_length=8, choices=Condition)
    to_location = models.ForeignKey(Location, on_delete=models.PROTECT, related_name="movements_in")
    to_condition = models.CharField(max_length=8, choices=Condition)
    kind = models.CharField(max_length=16, choices=Kind)
    cause_type = models.CharField(max_length=64, help_text="app.model of the document behind it.")
    cause_id = models.BigIntegerField()
    reason = models.CharField(max_length=500, blank=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="movements")
    depot = models.ForeignKey(
        Depot,
        on_delete=models.PROTECT,
        null=True,
        db_index=False,
        related_name="movements",
        help_text="The user's depot then; empty: none.",
    )
    count = models.ForeignKey(
        "Count",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="movements",
        help_text="The count that it brings the books to.",
    )
    reverses = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="reversals",
        help_text="What it takes back.",
    )
    occurred_at = models.DateTimeField(help_text="When it happened in the field.")
    created_at = models.DateTimeField(help_text="When it was recorded.")
    date = models.DateField(help_text="The Singapore date of that.")

    objects = StockMovementQuerySet.as_manager()

    class Meta:
        ordering = ("-id",)
        indexes = (
            models.Index(fields=("cause_id", "cause_type"), name="movement_cause_idx"),
            models.Index(fields=("cause_type",), name="movement_cause_type_idx"),
            models.Index(fields=("equipment", "id"), name="movement_equipment_idx"),
            models.Index(fields=("depot", "id"), name="movement_depot_idx"),
            models.Index(fields=("kind",), name="movement_kind_idx"),
            models.Index(fields=("created_at",), name="movement_created_idx"),
            models.Index(fields=("date",), name="movement_date_idx"),
            models.Index(fields=("ordered_at",), name="movement_ordered_idx"),
            models.Index(fields=("device", "device_number"), name="movement_device_idx"),
        )
        constraints = (
            models.CheckConstraint(condition=Q(quantity__gt=0), name="movement_quantity_positive"),
            in_columns("movement", counts=("quantity",)),
            models.CheckConstraint(
                condition=~Q(from_location=F("to_location")) | ~Q(from_condition=F("to_condition")),
                name="movement_moves_something",
            ),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.quantity}"


def _counts_within(user: User, capability: Capability) -> Q:
    """All, those that the own depot's people made or whose vehicle it owns, or the own."""
    within = rows_within(user, capability, depot="depot_id")
    if user.scope(capability) is Scope.DEPOT and user.depot_id:
        within |= of_depot(user.depot_id, "location__vehicle_no", "ordered_at")
    return within


class CountQuerySet(LedgerQuerySet):
    def visible_to(self, user: User) -> Self:
        return self.filter(_counts_within(user, Capability.VIEW_SETTLEMENTS))

    def decidable_by(self, user: User) -> Self:
        """All, or those of the own depot's vehicles, and what its people counted of those without a depot."""
        within = rows_within(user, Capability.SIGN_OFF_SETTLEMENT, depot="depot_id")
        if user.scope(Capability.SIGN_OFF_SETTLEMENT) is Scope.DEPOT and user.depot_id:
            within &= ~Q(location__vehicle_no__in=Vehicle.objects.exclude(depot=None).values("number"))
            within |= of_depot(user.depot_id, "location__vehicle_no", "ordered_at")
        return self.filter(within)

    def standing(self) -> Self:
        """Those that the books go by."""
        return self.filter(status=Count.Status.SIGNED_OFF)

    def changed(self) -> Q:
        """Those whose variance is another one than was signed: something of before them came afterwards."""
        return Q(Exists(StockMovement.objects.filter(count=OuterRef("pk"), kind=StockMovement.Kind.COMPENSATION)))


class Count(Ordered, OperationRecord):
    """What was found at a place at a moment. Once it is signed off it is what the books say of that moment."""

    entity = "inventory.count"
    life_cycle = ("status", "decided_by", "decided_at", "decision_remarks", "ordered_at")

    class Kind(models.TextChoices):
        VEHICLE = "VEHICLE", "Vehicle count"
        STOCK_TAKE = "STOCK_TAKE", "Stock-take"
        CORRECTION = "CORRECTION", "Correction"

    class Status(models.TextChoices):
        COUNTED = "COUNTED", "Counted"
        SIGNED_OFF = "SIGNED_OFF", "Signed off"
        REJECTED = "REJECTED", "Rejected: to be counted again"

    count_number = models.CharField(max_length=32, unique=True)
    kind = models.CharField(max_length=10, choices=Kind)
    location = models.ForeignKey(Location, on_delete=models.PROTECT, related_name="counts")
    is_complete = models.BooleanField(help_text="What isn't named was not there; else only the lines were counted.")
    depot = models.ForeignKey(
        Depot, on_delete=models.PROTECT, null=True, blank=True, related_name="counts", help_text="The counter's then."
    )
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="counts")
    status = models.CharField(max_length=10, choices=Status, default=Status.COUNTED)
    remarks = models.CharField(max_length=500, blank=True)
    occurred_at = models.DateTimeField(help_text="When it was counted.")
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="decided_counts"
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    decision_remarks = models.CharField(max_length=500, blank=True)

    objects = CountQuerySet.as_manager()

    class Meta:
        ordering = ("-id",)
        indexes = (
            models.Index(fields=("location", "status", "ordered_at"), name="count_place_idx"),
            models.Index(fields=("device", "device_number"), name="count_device_idx"),
            models.Index(fields=("kind", "status", "id"), name="count_status_idx"),
            models.Index(fields=("kind", "id"), name="count_kind_idx"),
            models.Index(fields=("kind", "date"), name="count_kind_date_idx"),
            models.Index(fields=("date",), name="count_date_idx"),
        )

    def __str__(self) -> str:
        return self.count_number

    @property
    def order(self) -> tuple[Any, ...]:
        """Counts of a place compare by it."""
        return (self.ordered_at, self.device, self.device_number or 0, self.client_temp_id or "", self.pk)


class CountLine(LedgerModel):
    """So many of one equipment in one condition."""

    entity = "inventory.countline"
    life_cycle = ("expected",)

    count = models.ForeignKey(Count, on_delete=models.PROTECT, related_name="lines")
    equipment = models.ForeignKey(Equipment, on_delete=models.PROTECT, related_name="count_lines")
    condition = models.CharField(max_length=8, choices=Condition)
    quantity = models.PositiveIntegerField(help_text="Counted.")
    expected = models.IntegerField(
        null=True, blank=True, help_text="What the books said of that moment when it was signed off."
    )

    objects = LedgerQuerySet.as_manager()

    class Meta:
        ordering = ("id",)
        constraints = (
            models.UniqueConstraint(fields=("count", "equipment", "condition"), name="count_line_unique"),
            in_columns("count_line", counts=("quantity", "expected")),
        )

    def __str__(self) -> str:
        return f"{self.quantity} {self.condition}"

    expected_now: int | None = None
    """What the books say of then by now, where somebody asked (`inventory.services.lines_seen_by`)."""
    is_named: bool = True
    """False of an open count's line that is only in the books (`inventory.services.compared_lines`)."""

    @property
    def variance(self) -> int | None:
        """Negative: some were missing. None before it is signed off."""
        return None if self.expected is None else self.quantity - self.expected

    @property
    def variance_now(self) -> int | None:
        """Likewise, with what came after the signature."""
        return None if self.expected_now is None else self.quantity - self.expected_now


class DepotWorkQuerySet(LedgerQuerySet):
    def visible_to(self, user: User) -> Self:
        """All, or those that left or reached the own depot."""
        mine = rows_within(user, Capability.VIEW_DEPOT_WORK)
        return self.filter(mine | rows_within(user, Capability.VIEW_DEPOT_WORK, depot="to_depot_id"))


class DepotWork(OperationRecord):
    """A piece of work at a depot that moves cylinders, other than loading them; or what takes one back."""

    entity = "inventory.depotwork"

    class Kind(models.TextChoices):
        REFILL = "REFILL", "Refill"
        GOODS_IN = "GOODS_IN", "Goods in"
        TRANSFER = "TRANSFER", "Transfer"
        DAMAGE = "DAMAGE", "Damage"
        SCRAP = "SCRAP", "Scrap"
        STOCK_TAKE = "STOCK_TAKE", "Stock-take"
        EXCHANGE = "EXCHANGE", "Exchange"

    work_number = models.CharField(max_length=32, unique=True)
    kind = models.CharField(max_length=10, choices=Kind)
    depot = models.ForeignKey(Depot, on_delete=models.PROTECT, related_name="works")
    to_depot = models.ForeignKey(
        Depot,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="works_from_elsewhere",
        help_text="Of a transfer.",
    )
    reason = models.CharField(max_length=500)
    reference = models.CharField(max_length=64, blank=True, help_text="The supplier's or the plant's paper.")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="depot_works")
    count = models.OneToOneField(
        Count, on_delete=models.PROTECT, null=True, blank=True, related_name="work", help_text="Of a stock-take."
    )
    reverses = models.OneToOneField(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="reversal",
        help_text="The work that it takes back.",
    )
    occurred_at = models.DateTimeField()

    objects = DepotWorkQuerySet.as_manager()

    class Meta:
        verbose_name = "depot work"
        verbose_name_plural = "depot work"
        ordering = ("-id",)
        indexes = (
            models.Index(fields=("kind", "id"), name="depot_work_kind_idx"),
            models.Index(fields=("date",), name="depot_work_date_idx"),
        )
        constraints = (
            models.CheckConstraint(
                condition=Q(kind="TRANSFER", to_depot__isnull=False) | ~Q(kind="TRANSFER") & Q(to_depot__isnull=True),
                name="depot_work_goes_elsewhere_by_transfer",
            ),
        )

    def __str__(self) -> str:
        return self.work_number


class DepotWorkItem(LedgerModel):
    """One line of it."""

    entity = "inventory.depotworkitem"

    work = models.ForeignKey(DepotWork, on_delete=models.PROTECT, related_name="items")
    equipment = models.ForeignKey(Equipment, on_delete=models.PROTECT, related_name="depot_work_items")
    condition = models.CharField(max_length=8, choices=Condition, help_text="Before the work.")
    quantity = models.IntegerField(help_text="Moved, negative: taken back; of a stock-take: counted.")
    expected = models.IntegerField(null=True, blank=True, help_text="Of a stock-take: what the books said.")

    objects = LedgerQuerySet.as_manager()

    class Meta:
        ordering = ("id",)
        constraints = (
            models.CheckConstraint(
                condition=Q(expected__isnull=True) & ~Q(quantity=0) | Q(expected__isnull=False, quantity__gte=0),
                name="depot_work_item_moves_or_counts",
            ),
            in_columns("depot_work_item", counts=("quantity", "expected")),
        )

    def __str__(self) -> str:
        return f"{self.quantity} {self.condition}"


class VehicleTransferQuerySet(LedgerQuerySet):
    def visible_to(self, user: User) -> Self:
        """All, those that left or reached a vehicle of the own depot, or the own."""
        mine = rows_within(user, Capability.VIEW_TRANSFERS, depot="from_depot_id")
        return self.filter(mine | rows_within(user, Capability.VIEW_TRANSFERS, depot="to_depot_id"))


class VehicleTransfer(OperationRecord):
    """Cylinders that went from one vehicle to another one."""

    entity = "inventory.vehicletransfer"

    transfer_number = models.CharField(max_length=32, unique=True)
    from_vehicle = models.ForeignKey(Vehicle, on_delete=models.PROTECT, related_name="transfers_out")
    from_depot = models.ForeignKey(
        Depot,
        on_delete=models.PROTECT,
        null=True,
        related_name="vehicle_transfers_out",
        help_text="Its depot then.",
    )
    to_vehicle = models.ForeignKey(Vehicle, on_delete=models.PROTECT, related_name="transfers_in")
    to_depot = models.ForeignKey(
        Depot, on_delete=models.PROTECT, null=True, related_name="vehicle_transfers_in", help_text="Its depot then."
    )
    reason = models.CharField(max_length=500, blank=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="vehicle_transfers")
    occurred_at = models.DateTimeField()

    objects = VehicleTransferQuerySet.as_manager()

    class Meta:
        ordering = ("-id",)
        indexes = (models.Index(fields=("date",), name="vehicle_transfer_date_idx"),)
        constraints = (
            models.CheckConstraint(condition=~Q(from_vehicle=F("to_vehicle")), name="vehicle_transfer_goes_elsewhere"),
        )

    def __str__(self) -> str:
        return self.transfer_number


class VehicleTransferItem(LedgerModel):
    """One line of it."""

    entity = "inventory.vehicletransferitem"

    transfer = models.ForeignKey(VehicleTransfer, on_delete=models.PROTECT, related_name="items")
    equipment = models.ForeignKey(Equipment, on_delete=models.PROTECT, related_name="vehicle_transfer_items")
    condition = models.CharField(max_length=8, choices=Condition)
    quantity = models.PositiveIntegerField()

    objects = LedgerQuerySet.as_manager()

    class Meta:
        ordering = ("id",)
        constraints = (
            models.CheckConstraint(condition=Q(quantity__gt=0), name="vehicle_transfer_item_quantity_positive"),
            in_columns("vehicle_transfer_item", counts=("quantity",)),
        )

    def __str__(self) -> str:
        return f"{self.quantity} {self.condition}"
