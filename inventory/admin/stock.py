"""Stock in the office: read-only, and corrected by counting."""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.widgets import AdminSplitDateTime
from django.core.exceptions import ValidationError
from django.db.models import F, Q, QuerySet
from django.http import HttpRequest, HttpResponse

from accounts.models import User
from accounts.requests import acting_user
from customers.models import Customer
from depots.models import Depot
from discrepancies.admin import to_discrepancies
from equipment.models import Equipment
from fleet.models import Vehicle
from foundation.access.capabilities import Capability
from foundation.access.scoping import rows_within
from foundation.entities import entity_name
from foundation.errors import Invalid
from foundation.limits import PIECES
from foundation.office.actions import ON_PAGES, ReasonForm
from foundation.office.generic import FieldGroups, ModelForm, TabularInline
from foundation.office.links import Related, badge, evidence_of, link_to, list_of, movements_of, page_of, plain
from foundation.office.master_data import MasterDataAdmin, MasterDataForm
from foundation.office.menu import Menu
from foundation.office.numbers import IntegerFormField
from foundation.office.pages import OfficeAdmin, may
from foundation.office.texts import TextFormField
from foundation.office.widgets import FoundByTyping
from inventory import services
from inventory.admin.counts import told_of_stock_take
from inventory.models import (
    Condition,
    Count,
    DepotWork,
    DepotWorkItem,
    Inventory,
    Location,
    LocationKind,
    ReorderLevel,
    ReorderLevelQuerySet,
    StockMovement,
    StockMovementQuerySet,
)
from inventory.services import DepotCount, Entity, NewDepotWork, NewReversal, NewWorkItem, WorkedGoods

_ON_LISTS = admin.ActionLocation.CHANGE_LIST


@admin.register(Location)
class LocationAdmin(OfficeAdmin[Location]):
    view_capability = Capability.VIEW_INVENTORY
    menu = Menu.STOCK
    is_found = True
    list_display = ("__str__", "kind")
    list_filter = ("kind",)
    list_select_related = ("depot", "customer")
    search_fields = ("vehicle_no", "depot__code", "customer__search_name")
    search_help_text = "Vehicle, depot's code, or customer's name or code"
    fields = ("kind", "depot", "customer", "vehicle_no")

    def related(self, request: HttpRequest, target: Location) -> Iterable[Related]:
        return (
            list_of("inventory.inventory", "Stock", location__id__exact=target.pk),
            list_of("inventory.stockmovement", "Stock movements", at=target.pk),
        )


class CountForm(ModelForm[Inventory]):
    """A count of one balance. It starts empty: what is in the books is no count."""

    counted = IntegerFormField(min_value=0, max_value=int(PIECES.most), label="Counted quantity")
    reason = TextFormField(max_length=500, widget=forms.Textarea(attrs={"rows": 2, "cols": 60}))

    class Meta:
        model = Inventory
        fields = ()


class NewCountForm(CountForm):
    """A count of something that may have no balance yet."""

    actor: User

    depot = forms.ModelChoiceField(Depot.objects.none(), required=False, label="Depot")
    vehicle_no = forms.ChoiceField(required=False, label="or vehicle")
    customer = forms.ModelChoiceField(
        Customer.objects.all(),
        required=False,
        label="or customer",
        widget=FoundByTyping(Location._meta.get_field("customer"), admin.site),
        help_text="At a customer's site cylinders are only counted: their condition is FULL.",
    )
    equipment = forms.ModelChoiceField(Equipment.objects.all())

    class Meta:
        model = Inventory
        fields = ("condition",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        depot: Any = self.fields["depot"]
        depot.queryset = Depot.objects.filter(rows_within(self.actor, Capability.CORRECT_INVENTORY, depot="pk"))
        vehicle: Any = self.fields["vehicle_no"]
        vehicle.choices = [("", "---------"), *((number, number) for number in _vehicles_of(self.actor))]

    def clean(self) -> dict[str, Any]:
        sent = super().clean() or {}
        places = [sent.get("depot"), sent.get("vehicle_no"), sent.get("customer")]
        if sum(bool(place) for place in places) != 1:
            raise ValidationError("Name one place: a depot, a vehicle or a customer.")
        return sent

    def place(self) -> tuple[Entity, str]:
        sent = self.cleaned_data
        if sent["depot"]:
            return Entity.DEPOT, str(sent["depot"].pk)
        if sent["customer"]:
            return Entity.CUSTOMER, str(sent["customer"].pk)
        return Entity.VEHICLE, sent["vehicle_no"]


def _vehicles_of(actor: User) -> list[str]:
    """Vehicles that the actor may correct, those out of use included: something may be left on them."""
    within = rows_within(actor, Capability.CORRECT_INVENTORY)
    return list(Vehicle.objects.filter(within).order_by("number").values_list("number", flat=True))


@admin.register(Inventory)
class InventoryAdmin(OfficeAdmin[Inventory]):
    view_capability = Capability.VIEW_INVENTORY
    menu = Menu.STOCK
    form_fields = {"quantity": "counted", "equipment_id": "equipment"}
    list_display = ("location", "equipment", "condition", "quantity", "updated_at")
    list_filter = ("location__kind", "condition", "location__depot", "equipment")
    list_select_related = ("location__depot", "location__customer", "equipment")
    search_fields = ("equipment__search_name", "location__vehicle_no", "location__customer__search_name")
    search_help_text = "Equipment, vehicle, or customer's name"
    ordering = ("location__kind", "location_id", "equipment__sku", "condition")

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        offered = lookup in ("location__customer__id__exact", "location__vehicle_no__exact")
        return offered or super().lookup_allowed(lookup, value, request)

    def related(self, request: HttpRequest, target: Inventory) -> Iterable[Related]:
        movements = list_of(
            "inventory.stockmovement", "Its movements", equipment__id__exact=target.equipment_id, at=target.location_id
        )
        return (movements, evidence_of(target))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return may(request, Capability.CORRECT_INVENTORY)

    def has_change_permission(self, request: HttpRequest, obj: Inventory | None = None) -> bool:
        is_real = obj is None or not obj.location.is_virtual
        return is_real and may(request, Capability.CORRECT_INVENTORY)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, object], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        balance = kwargs.get("obj")
        if self.has_change_permission(request, balance):
            context["title"] = "Correct stock by a count"
        if balance is not None:
            context["subtitle"] = f"{balance.equipment}, {balance.condition}, at {balance.location}"
        return super().render_change_form(request, context, *args, **kwargs)

    def get_form(
        self, request: HttpRequest, obj: Inventory | None = None, change: bool = False, **kwargs: object
    ) -> type[ModelForm[Inventory]]:
        kwargs["form"] = CountForm if change else type("NewCountForm", (NewCountForm,), {"actor": request.user})
        return super().get_form(request, obj, change, **kwargs)

    def get_fields(self, request: HttpRequest, obj: Inventory | None = None) -> FieldGroups:
        if obj is None:
            return ("depot", "vehicle_no", "customer", "equipment", "condition", "counted", "reason")
        shown = ("location", "equipment", "condition", "in_the_books", "updated_at")
        return (*shown, "counted", "reason") if self.has_change_permission(request, obj) else shown

    def get_readonly_fields(self, request: HttpRequest, obj: Inventory | None = None) -> tuple[str, ...]:
        return () if obj is None else ("location", "equipment", "condition", "in_the_books", "updated_at")

    def save_model(self, request: HttpRequest, obj: Inventory, form: ModelForm[Inventory], change: bool) -> None:
        sent = form.cleaned_data
        if change:
            entity, entity_id = _place_of(obj.location)
            equipment, condition = obj.equipment, obj.condition
        else:
            assert isinstance(form, NewCountForm)
            entity, entity_id = form.place()
            equipment, condition = sent["equipment"], sent["condition"]
        balance = services.correct_inventory(
            actor=acting_user(request),
            entity=entity,
            entity_id=entity_id,
            equipment_id=equipment.pk,
            condition=Condition(condition),
            quantity=sent["counted"],
            reason=sent["reason"],
        )
        obj.pk = balance.pk
        obj.refresh_from_db()

    @admin.display(description="in the books")
    def in_the_books(self, balance: Inventory) -> int:
        return balance.quantity


def _place_of(location: Location) -> tuple[Entity, str]:
    match location.kind:
        case LocationKind.DEPOT:
            return Entity.DEPOT, str(location.depot_id)
        case LocationKind.CUSTOMER:
            return Entity.CUSTOMER, str(location.customer_id)
        case _:
            return Entity.VEHICLE, location.vehicle_no


class ReorderFilter(admin.SimpleListFilter):
    title = "stock"
    parameter_name = "stock"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        return [("low", "Below its level")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[ReorderLevel]) -> QuerySet[ReorderLevel]:
        return queryset.filter(_IS_LOW) if self.value() == "low" else queryset


_IS_LOW = Q(in_stock__lt=F("quantity"))


class ReorderLevelForm(MasterDataForm[ReorderLevel]):
    quantity = IntegerFormField(min_value=0, max_value=int(PIECES.most), help_text="0: nobody is told.")


@admin.register(ReorderLevel)
class ReorderLevelAdmin(MasterDataAdmin[ReorderLevel]):
    view_capability = Capability.VIEW_DEPOT_STOCK
    menu = Menu.STOCK
    form = ReorderLevelForm
    list_display = ("equipment", "depot", "quantity", "in_stock", "state")
    list_filter = (ReorderFilter, "depot")
    list_select_related = ("depot", "equipment")
    search_fields = ("equipment__search_name", "depot__search_name")
    search_help_text = "Equipment or depot"
    fields = ("depot", "equipment", "quantity", "as_read")
    create_command = services.create_reorder_level
    update_command = services.update_reorder_level
    deactivate_command = services.deactivate_reorder_level

    def get_queryset(self, request: HttpRequest) -> QuerySet[ReorderLevel]:
        levels = super().get_queryset(request)
        assert isinstance(levels, ReorderLevelQuerySet)
        return levels.with_stock()

    def awaited(self) -> Iterable[tuple[str, str, Mapping[str, str], Q]]:
        yield "stock below its reorder level", "stocks below their reorder level", {"stock": "low"}, _IS_LOW

    def related(self, request: HttpRequest, target: ReorderLevel) -> Iterable[Related]:
        stock = list_of("inventory.inventory", "Stock", location__depot__id__exact=target.depot_id,
                        equipment__id__exact=target.equipment_id)  # fmt: skip
        return (stock, evidence_of(target))

    @admin.display(description="full in stock", ordering="in_stock")
    def in_stock(self, level: Any) -> int:
        return int(level.in_stock)

    @admin.display(description="state")
    def state(self, level: Any) -> str:
        return badge("Low", "open") if level.in_stock < level.quantity else badge("Enough", "good")


class PlaceFilter(admin.SimpleListFilter):
    """Movements from or to one location. Links lead here; there are too many locations to offer them."""

    title = "place"
    parameter_name = "at"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        sent = self.used_parameters.get(self.parameter_name)
        pk = int(sent) if sent and sent.isascii() and sent.isdigit() and len(sent) < 19 else 0
        seen = Location.objects.visible_to(acting_user(request))
        places = seen.select_related("depot", "customer").filter(pk=pk)
        return [(str(place.pk), str(place)) for place in places]

    def has_output(self) -> bool:
        """Also for a place that the reader doesn't see: no filter at all would show everything instead of nothing."""
        return self.parameter_name in self.used_parameters

    def queryset(self, request: HttpRequest, queryset: QuerySet[StockMovement]) -> QuerySet[StockMovement]:
        if not self.lookup_choices:
            return queryset.none()
        [(at, _)] = self.lookup_choices
        assert isinstance(queryset, StockMovementQuerySet)
        return queryset.touching(int(at))


@admin.register(StockMovement)
class StockMovementAdmin(OfficeAdmin[StockMovement]):
    view_capability = Capability.VIEW_INVENTORY
    menu = Menu.STOCK
    list_display = (
        "created_at", "kind", "quantity", "sku", "source", "target", "user",
    )  # fmt: skip
    list_filter = (PlaceFilter, "kind", "from_condition", "to_condition", "equipment")
    list_select_related = ()
    search_fields = (
        "=cause_id",
        "from_location__vehicle_no",
        "to_location__vehicle_no",
        "to_location__customer__search_name",
    )
    search_help_text = "Number of the cause, vehicle, or the receiving customer's name"
    date_hierarchy = "date"
    ordering = ("-id",)
    # Places as text: the other end of a movement may be one that its reader doesn't see.
    fields: ClassVar[Any] = (
        ("kind", "quantity", "equipment"), (plain("from_location"), "from_condition"),
        (plain("to_location"), "to_condition"), "cause", (plain("count"), plain("reverses")), "reason", "user",
        ("occurred_at", "ordered_at", "created_at"),
    )  # fmt: skip

    @admin.display(description="equipment", ordering="equipment__sku")
    def sku(self, movement: StockMovement) -> str:
        return str(movement.equipment.sku)

    @admin.display(description="from")
    def source(self, movement: StockMovement) -> str:
        return f"{movement.from_location}, {movement.from_condition}"

    @admin.display(description="to")
    def target(self, movement: StockMovement) -> str:
        return f"{movement.to_location}, {movement.to_condition}"

    def get_queryset(self, request: HttpRequest) -> QuerySet[StockMovement]:
        movements = super().get_queryset(request)
        assert isinstance(movements, StockMovementQuerySet)
        return movements.with_ends()

    def related(self, request: HttpRequest, target: StockMovement) -> Iterable[Related]:
        yield from page_of(request, target.cause_type, target.cause_id, "What caused it")
        if target.count_id:
            yield from page_of(request, entity_name(Count), target.count_id, "The count that it brings the books to")
        if target.reverses_id:
            yield from page_of(request, entity_name(StockMovement), target.reverses_id, "What it takes back")

    def get_readonly_fields(self, request: HttpRequest, obj: StockMovement | None = None) -> tuple[str, ...]:
        return ("cause",)

    @admin.display(description="cause")
    def cause(self, movement: StockMovement) -> str:
        return f"{movement.cause_type} {movement.cause_id}"


class WorkItemForm(ModelForm[DepotWorkItem]):
    quantity = IntegerFormField(min_value=0, max_value=int(PIECES.most))

    class Meta:
        model = DepotWorkItem
        fields = ("equipment", "condition", "quantity")

    def validate_constraints(self) -> None:
        """What a line may say depends on the kind of work: the command checks it."""


class WorkItemInline(TabularInline[DepotWorkItem, DepotWork]):
    """The lines of a piece of work: filled in where it is recorded, read afterwards."""

    model = DepotWorkItem
    form = WorkItemForm
    extra, max_num, can_delete = 5, 200, False
    verbose_name_plural = "items"

    def get_fields(self, request: HttpRequest, obj: DepotWork | None = None) -> tuple[str, ...]:
        return (
            ("equipment", "condition", "quantity")
            if obj is None
            else ("equipment", "condition", "quantity", "expected")
        )

    def get_queryset(self, request: HttpRequest) -> QuerySet[DepotWorkItem]:
        return super().get_queryset(request).select_related("equipment")

    def has_view_permission(self, request: HttpRequest, obj: DepotWork | None = None) -> bool:
        return may(request, Capability.VIEW_DEPOT_WORK)

    def has_add_permission(self, request: HttpRequest, obj: DepotWork | None = None) -> bool:
        return obj is None and may(request, Capability.WORK_DEPOT)

    def has_change_permission(self, request: HttpRequest, obj: DepotWork | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: DepotWork | None = None) -> bool:
        return False


class DepotWorkForm(ModelForm[DepotWork]):
    """One form for every kind: the command says what a kind needs."""

    counted_at = forms.SplitDateTimeField(
        required=False, widget=AdminSplitDateTime, help_text="Of a stock-take. Left empty: now."
    )

    class Meta:
        model = DepotWork
        fields = ("kind", "depot", "to_depot", "reason", "reference")
        help_texts = {"kind": "A stock-take brings each line to its counted quantity; the others move theirs."}

    def validate_constraints(self) -> None:
        """The command says it in words."""


class WorkReversalForm(ReasonForm):
    goods = forms.ChoiceField(
        choices=WorkedGoods.choices,
        initial=WorkedGoods.CAME_BACK,
        label="The goods",
        help_text="Recorded by mistake: it never happened, and counts since then explain it.",
    )


@admin.register(DepotWork)
class DepotWorkAdmin(OfficeAdmin[DepotWork]):
    view_capability = Capability.VIEW_DEPOT_WORK
    menu = Menu.STOCK
    inlines = (WorkItemInline,)
    is_found = True
    list_display = ("work_number", "kind", "undone", "depot", "to_depot", "reason", "reference", "user", "created_at")
    list_filter = ("kind", "depot")
    list_select_related = ("depot", "to_depot", "user", "reversal")
    search_fields = ("work_number", "reference", "reason")
    search_help_text = "Number, reference, or words of the reason"
    date_hierarchy = "date"
    ordering = ("-id",)
    actions = ("reverse",)
    readonly_fields = ("undone", "undone_by")
    add_form = DepotWorkForm

    def related(self, request: HttpRequest, target: DepotWork) -> Iterable[Related]:
        yield movements_of(target)
        if target.count_id:
            yield from page_of(request, entity_name(Count), target.count_id, "Its count")
        yield to_discrepancies(target)
        yield evidence_of(target)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return may(request, Capability.WORK_DEPOT)

    def get_fields(self, request: HttpRequest, obj: DepotWork | None = None) -> FieldGroups:
        if obj is None:
            return ("kind", ("depot", "to_depot"), "reason", "reference", "counted_at")
        return (
            ("work_number", "kind", "undone"), ("depot", "to_depot"), "reason", "reference", ("reverses", "undone_by"),
            ("user", "occurred_at", "created_at"), "client_temp_id",
        )  # fmt: skip

    def get_readonly_fields(self, request: HttpRequest, obj: DepotWork | None = None) -> tuple[str, ...]:
        return () if obj is None else self.readonly_fields

    def has_reverse_permission(self, request: HttpRequest) -> bool:
        return may(request, Capability.WORK_DEPOT)

    def get_actions(self, request: HttpRequest, action_location: admin.ActionLocation = _ON_LISTS) -> Any:
        """On the page of what can't be reversed that isn't offered; who sends it all the same is told why."""
        actions = super().get_actions(request, action_location=action_location)
        pk = (request.resolver_match.kwargs if request.resolver_match else {}).get("object_id", "")
        work = DepotWork.objects.filter(pk=pk).first() if request.method == "GET" and pk.isdecimal() else None
        if work is not None and not services.is_reversible(acting_user(request), work):
            actions.pop("reverse", None)
        return actions

    @admin.action(description="Reverse", permissions=["reverse"], location=ON_PAGES)
    def reverse(self, request: HttpRequest, queryset: QuerySet[DepotWork]) -> HttpResponse | None:
        actor = acting_user(request)
        return self.ask(
            request,
            queryset,
            WorkReversalForm,
            "Reverse the work",
            lambda reversal: f"reversed by {reversal}",
            lambda work, sent: services.reverse_depot_work(actor=actor, data=NewReversal(work.pk, **sent)),
        )

    @admin.display(description="reversal")
    def undone(self, work: DepotWork) -> str:
        if work.reverses_id:
            return badge("Reversal", "off")
        return badge("Reversed", "open") if getattr(work, "reversal", None) else "–"

    @admin.display(description="reversed by")
    def undone_by(self, work: DepotWork) -> str:
        return link_to(work.reversal) if getattr(work, "reversal", None) else "–"

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "depot":
            kwargs["queryset"] = Depot.objects.filter(rows_within(request.user, Capability.WORK_DEPOT, depot="pk"))
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: DepotWork, form: ModelForm[DepotWork], change: bool) -> None:
        """The command needs the lines too: it runs when they are known, in `save_related`."""

    def save_related(self, request: HttpRequest, form: ModelForm[DepotWork], formsets: Any, change: bool) -> None:
        actor = acting_user(request)
        sent = form.cleaned_data
        [lines] = formsets
        items = tuple(
            NewWorkItem(line["equipment"].pk, line["condition"], line["quantity"])
            for line in lines.cleaned_data
            if line
        )
        depot, reason = sent["depot"].pk, sent["reason"]
        if sent["kind"] == DepotWork.Kind.STOCK_TAKE:
            recorded = services.take_stock(actor=actor, data=DepotCount(depot, items, reason, sent["counted_at"]))
            if recorded.count is not None:
                for told in told_of_stock_take(actor, recorded.count):
                    self.message_user(request, told, messages.WARNING)
        elif sent["counted_at"]:
            raise Invalid("Only a stock-take says when it was counted.", attr="counted_at")
        else:
            new = NewDepotWork(
                sent["kind"], depot, items, reason, sent["to_depot"] and sent["to_depot"].pk, sent["reference"]
            )
            recorded = services.record_depot_work(actor=actor, data=new)
        form.instance.pk = recorded.pk
        form.instance.refresh_from_db()

    def construct_change_message(self, *args: Any, **kwargs: Any) -> Any:
        return []
