"""Master data from spreadsheets: each row is checked by the API's serializer and written by the API's commands.

A trial run does it all and takes it back. An import happens wholly or not at all. An empty cell leaves a value as it
is, and on a new row as it begins.
"""

import hashlib
import io
import json
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db.models import Model
from import_export.fields import Field
from import_export.formats.base_formats import CSV, XLSX
from import_export.instance_loaders import BaseInstanceLoader
from import_export.resources import Resource
from rest_framework.serializers import BaseSerializer
from tablib import Dataset

from foundation import clock
from foundation.errors import DomainError
from foundation.spreadsheets.models import ImportedTable

FORMATS = (CSV, XLSX)
ENCODING = "utf-8-sig"
"""UTF-8, with or without the mark that Excel puts before it."""
MOST_UNPACKED_BYTES = 100 * 2**20
"""Of a workbook, which is a ZIP archive: a small one can be made to fill the memory."""


class Unreadable(Exception):
    """The file isn't what its name says."""


@dataclass(frozen=True, slots=True)
class BadCell:
    """What is wrong, and where. ``line`` as the spreadsheet counts, the head being 1; None: with the whole file."""

    line: int | None
    column: str
    value: str
    problem: str


def read_table(name: str, content: bytes) -> Dataset:
    """The table of a CSV or XLSX file (its first sheet). Raises Unreadable."""
    kind = name.rpartition(".")[2].lower()
    try:
        if kind == "csv":
            return CSV(encoding=ENCODING).create_dataset(content)
        if kind == "xlsx":
            unpacked = sum(part.file_size for part in zipfile.ZipFile(io.BytesIO(content)).infolist())
            if unpacked > MOST_UNPACKED_BYTES:
                raise Unreadable("The workbook is too large.")
            return XLSX().create_dataset(content)
    except Unreadable:
        raise
    except Exception as error:  # its reader raises whatever a broken file makes it stumble over
        raise Unreadable(f"The file can't be read as {kind.upper()}: {error}") from error
    raise Unreadable("The file has to be a .csv or an .xlsx.")


class TableResource(Resource):
    """A table's rows as one model's rows. A row whose key exists changes it; another one is added."""

    serializer: ClassVar[type[BaseSerializer[Any]]]
    keys: ClassVar[tuple[str, ...]]
    """The columns that say which row is meant."""
    columns: ClassVar[Mapping[str, str]]
    """The columns there are, and the attributes that they show."""
    needed: ClassVar[tuple[str, ...]]
    """The columns that no file can do without."""

    model: ClassVar[type[Model]]

    class Meta:
        use_transactions = True
        instance_loader_class = BaseInstanceLoader

    def __init__(self, **kwargs: object) -> None:
        super().__init__(**kwargs)
        self.fields = {name: Field(attribute, name) for name, attribute in self.columns.items()}
        self._digest = ""
        self._lines: dict[tuple[str, ...], int] = {}
        self._cells: dict[str, Any] = {}
        self._changes: dict[str, Any] = {}

    @classmethod
    def get_display_name(cls) -> str:
        return str(cls.model._meta.verbose_name_plural)

    # --- What a kind of table says for itself.

    def find(self, row: Mapping[str, object]) -> Model | None:
        """The row's object, if there is one already."""
        raise NotImplementedError

    def create(self, actor: Model, values: dict[str, object]) -> Model:
        raise NotImplementedError

    def update(self, actor: Model, target: object, changes: dict[str, object]) -> None:
        raise NotImplementedError

    def check(self, target: object, values: dict[str, object]) -> None:
        """What only an import has to refuse. Raises ValidationError."""

    # --- How the library's steps are taken.

    def before_import(self, dataset: Dataset, **kwargs: object) -> None:
        try:
            self._check_heads(dataset)
        except ValidationError:
            # The library would go on with the rows.
            dataset.wipe()
            raise

        # By what the rows say: not by their order, the columns', empty cells or spaces.
        said = ([(name, str(cell)) for name, value in row.items() if (cell := _cell(value))] for row in dataset.dict)
        cells = sorted(sorted(row) for row in said if row)
        self._digest = hashlib.sha256(json.dumps(cells).encode()).hexdigest()

    def after_import(self, dataset: Dataset, result: Any, **kwargs: Any) -> None:
        """A table that adds rows does so once: rows without a key would be there twice."""
        if not result.totals["new"]:
            return
        kind = self.get_display_name()
        earlier = ImportedTable.objects.filter(digest=self._digest).select_related("user").first()
        if earlier is not None:
            at = earlier.imported_at.astimezone(clock.SINGAPORE)
            raise ValidationError(
                f"This very table was imported already, by {earlier.user} on {at:%-d %B %Y at %H:%M}. Take out what is "
                "there by now."
            )
        ImportedTable.objects.create(digest=self._digest, kind=kind, user=kwargs["user"], imported_at=clock.now())

    def _check_heads(self, dataset: Dataset) -> None:
        heads = [str(head or "").strip().lower().replace(" ", "_") for head in dataset.headers or ()]
        dataset.headers = heads
        while "" in heads and all(_cell(value) is None for value in dataset[""]):
            del dataset[""]
            heads.remove("")
        if unknown := [head for head in heads if head not in self.columns]:
            raise ValidationError(f"Unknown columns: {', '.join(unknown)}. Known are: {', '.join(self.columns)}.")
        if missing := [name for name in self.needed if name not in heads]:
            raise ValidationError(f"Missing columns: {', '.join(missing)}.")
        if len(set(heads)) < len(heads):
            raise ValidationError("A column is there twice.")

    def get_or_init_instance(self, instance_loader: Any, row: Any) -> tuple[Any, bool]:
        self._cells = {name: cell for name, value in row.items() if (cell := _cell(value)) is not None}
        found = self.find(self._cells)
        return (self.model(), True) if found is None else (found, False)

    def import_instance(self, instance: Any, row: Any, **kwargs: Any) -> None:
        if not self._cells:
            return
        self._refuse_repetition(kwargs["row_number"])
        is_new = instance.pk is None
        checked = self.serializer(None if is_new else instance, data=self._cells, partial=not is_new)
        if not checked.is_valid():
            errors: Any = checked.errors
            raise ValidationError({name: [str(text) for text in said] for name, said in errors.items()})
        values: dict[str, Any] = checked.validated_data
        self.check(instance, values)
        self._changes = {name: value for name, value in values.items() if is_new or getattr(instance, name) != value}
        for name, value in values.items():
            setattr(instance, name, value)

    def _refuse_repetition(self, number: int) -> None:
        if not all(name in self._cells for name in self.keys):
            return
        key = tuple(str(self._cells[name]).casefold() for name in self.keys)
        first = self._lines.setdefault(key, number + 1)
        if first != number + 1:
            raise ValidationError({self.keys[0]: [f"Line {first} has the same."]})

    def skip_row(self, instance: Any, original: object, row: Any, import_validation_errors: object = None) -> bool:
        has_news = instance.pk is None or self._changes
        return not self._cells or not (import_validation_errors or has_news)

    def validate_instance(
        self, instance: object, import_validation_errors: Any = None, *args: Any, **kwargs: Any
    ) -> None:
        """The serializer has; the model's rules are the commands' business."""
        if import_validation_errors:
            raise ValidationError(import_validation_errors)

    def save_instance(self, instance: Any, is_create: bool, row: Any, **kwargs: Any) -> None:
        try:
            if is_create:
                made = self.create(kwargs["user"], self._changes)
                instance.pk = made.pk
                instance.__dict__.update({field.attname: getattr(made, field.attname) for field in made._meta.fields})
            else:
                self.update(kwargs["user"], instance, self._changes)
        except DomainError as error:
            name = error.attr if error.attr and error.attr in self.columns else NON_FIELD_ERRORS
            raise ValidationError({name: [error.detail]}) from error


def run_import(resource: TableResource, table: Dataset, *, actor: Model, is_trial: bool) -> Any:
    """Import a table, or try to. The result says what each row came to; `bad_cells` lists what is wrong with it."""
    return resource.import_data(table, dry_run=is_trial, rollback_on_validation_errors=True, user=actor)


def bad_cells(result: Any) -> Iterator[BadCell]:
    """All that is wrong with a table, in its order."""
    for error in result.base_errors:
        said = error.error
        yield BadCell(None, "", "", "; ".join(said.messages) if isinstance(said, ValidationError) else str(said))
    for row in result.invalid_rows:
        cells = dict(zip(result.diff_headers, row.values, strict=True))
        for name, problems in row.error_dict.items():
            column = "" if name in (NON_FIELD_ERRORS, "non_field_errors") else name
            for problem in problems:
                yield BadCell(row.number + 1, column, _legible(cells.get(column)), problem)
    for row in result.error_rows:
        for error in row.errors:
            yield BadCell(row.number + 1, "", "", str(error.error))


def _cell(value: object) -> Any:
    """A cell as the API would be sent it; None where it is empty."""
    match value:
        case None:
            return None
        case bool():
            return value
        case datetime():
            return value.date().isoformat()
        case _:
            return str(value).strip() or None


def _legible(value: object) -> str:
    return "" if value in (None, "---") else str(value)
