"""Numbers that can be read back: SQLite writes any number into any column, so each table with numbers has a CHECK."""

from decimal import Decimal

from django.core.management import CommandError
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations import AddConstraint, RunPython
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import StateApps
from django.db.models import (
    AutoField,
    BaseConstraint,
    BigIntegerField,
    CheckConstraint,
    DecimalField,
    F,
    Func,
    IntegerField,
    JSONField,
    Model,
    Q,
)
from django.db.models.lookups import Exact

_COLUMNS = {
    "amounts": Decimal("9999999999.99"),
    "rates": Decimal("99999999.99"),
    "fine_rates": Decimal("999999.9999"),
    "weights": Decimal("9999.99"),
    "counts": Decimal(2**31 - 1),
}
"""What columns hold: 12 digits with 2 places, 10 with 2, 10 with 4, 6 with 2, and integers of 32 bits."""
_IN_COLUMNS = "_in_columns"


def in_columns(name: str, **fields: tuple[str, ...]) -> CheckConstraint:
    """A CHECK that numbers can be read back from their columns; fields by kind, as in ``amounts=("total_amount",)``."""
    condition = Q()
    for kind, names in fields.items():
        for field in names:
            condition &= Q(**{f"{field}__gte": -_COLUMNS[kind], f"{field}__lte": _COLUMNS[kind]})
    return CheckConstraint(condition=condition, name=f"{name}{_IN_COLUMNS}")


def column_checks(model: type[Model]) -> list[CheckConstraint]:
    """Those of a model that `in_columns` made."""
    return [
        constraint
        for constraint in model._meta.constraints
        if isinstance(constraint, CheckConstraint) and constraint.name.endswith(_IN_COLUMNS)
    ]


def beyond(constraint: BaseConstraint) -> Q:
    """The rows that such a constraint doesn't allow. What is null is within."""
    found = Q()
    _, _, arguments = constraint.deconstruct()
    for name, bound in arguments["condition"].children:
        found |= Q(**{name.replace("__gte", "__lt").replace("__lte", "__gt"): bound})
    return found


def beyond_columns(model: type[Model]) -> Q:
    """The rows of a model with a number that its column doesn't hold."""
    found = Q()
    for field in model._meta.concrete_fields:
        match field:
            case DecimalField():
                most = (Decimal(10) ** field.max_digits - 1).scaleb(-field.decimal_places)
            case BigIntegerField() | AutoField():
                continue
            case IntegerField():
                most = _COLUMNS["counts"]
            case _:
                continue
        found |= Q(**{f"{field.name}__gt": most}) | Q(**{f"{field.name}__lt": -most})
    return found


def no_json(model: type[Model]) -> Q:
    """The rows of a model with JSON that is none."""
    found = Q()
    for field in model._meta.concrete_fields:
        if isinstance(field, JSONField):
            is_json = Func(F(field.name), function="JSON_VALID", output_field=IntegerField())
            found |= Q(Exact(is_json, 0), **{f"{field.name}__isnull": False})
    return found


def after_a_look(app: str, *additions: AddConstraint) -> list[Operation]:
    """A migration's operations that add such constraints. Rows that they don't allow are named first, by a sentence."""

    def look(apps: StateApps, _: BaseDatabaseSchemaEditor) -> None:
        for addition in additions:
            rows = apps.get_model(app, addition.model_name)._default_manager.filter(beyond(addition.constraint))
            if broken := list(rows.values_list("pk", flat=True)[:20]):
                raise CommandError(
                    f"{app}.{addition.model_name} has numbers that their columns don't hold, in the rows {broken}: an "
                    "earlier release wrote them on SQLite. docs/upgrading.md says what to do."
                )

    return [RunPython(look, RunPython.noop), *additions]
