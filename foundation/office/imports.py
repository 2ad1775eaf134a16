"""The office's pages that take spreadsheets: a trial run with what is wrong in which cell, then the import itself."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import timedelta
from typing import Any
from uuid import uuid4

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import reverse
from import_export.admin import ImportMixin
from import_export.forms import ImportForm
from import_export.tmp_storages import BaseStorage

from foundation import clock
from foundation.access.capabilities import Capability
from foundation.confirmations import said
from foundation.office.models import UploadedTable
from foundation.office.pages import may
from foundation.spreadsheets.importing import ENCODING, FORMATS, Unreadable, bad_cells, read_table

MOST_BYTES = 5 * 2**20
MOST_ROWS = 2_000
"""Of a file in the office, where somebody waits for the page; the command takes any number."""

KEPT = timedelta(hours=1)


class TableForm(ImportForm):
    """The file's name says what it is."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.fields["format"].required = False
        self.fields["format"].widget = forms.HiddenInput()
        self.fields["import_file"].help_text = f"CSV (UTF-8) or XLSX, at most 5 MB and {MOST_ROWS:,} rows."

    def clean(self) -> dict[str, Any]:
        sent: dict[str, Any] = super().clean() or self.cleaned_data
        file = sent.get("import_file")
        if file is None:
            return sent
        if file.size > MOST_BYTES:
            self.add_error("import_file", "The file has more than 5 MB.")
            return sent
        try:
            rows = len(read_table(file.name, file.read()))
        except Unreadable as error:
            self.add_error("import_file", str(error))
            return sent
        file.seek(0)
        if rows > MOST_ROWS:
            self.add_error(
                "import_file", f"The file has {rows:,} rows. Please import it in parts, or by the command import_data."
            )
        sent["format"] = str(int(file.name.lower().endswith(".xlsx")))
        return sent


class UploadedTables(BaseStorage):
    """What was uploaded, for the import to follow the trial run on whichever server, by whoever uploaded it."""

    def __init__(self, *, user: Any, is_taken: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.mine = UploadedTable.objects.filter(user=user)
        self.user = user
        self.is_taken = is_taken

    def save(self, data: bytes) -> None:
        forget_uploads()
        self.name = uuid4().hex
        UploadedTable.objects.create(name=self.name, user=self.user, content=data, created_at=clock.now())

    def read(self) -> bytes:
        table = self.mine.filter(name=self.name, created_at__gt=clock.now() - KEPT).first()
        # Who takes it away imports it: of several confirmations at once that is one.
        if table is None or (self.is_taken and not self.mine.filter(name=self.name).delete()[0]):
            raise Expired
        return bytes(table.content)

    def remove(self) -> None:
        self.mine.filter(name=self.name).delete()


def forget_uploads() -> int:
    """Delete those whose hour is over; answers how many."""
    return UploadedTable.objects.filter(created_at__lte=clock.now() - KEPT).delete()[0]


_uploads: ContextVar[dict[str, Any]] = ContextVar("uploads")


@contextmanager
def _uploads_of(user: object, *, is_taken: bool = False) -> Iterator[None]:
    """django-import-export makes its storage where it knows of no request."""
    token = _uploads.set({"user": user, "is_taken": is_taken})
    try:
        yield
    finally:
        _uploads.reset(token)


class Expired(Exception):
    """The upload was imported, was kept for an hour, or is somebody else's."""


class ImportsTables(ImportMixin):
    """For the lists of what can be imported; those who manage master data may."""

    import_template_name = "admin/import.html"
    import_form_class = TableForm
    tmp_storage_class = UploadedTables
    from_encoding = ENCODING
    skip_admin_log = True  # the commands leave evidence

    def has_import_permission(self, request: HttpRequest) -> bool:
        return may(request, Capability.MANAGE_MASTER_DATA)

    def get_import_formats(self) -> list[Any]:
        return list(FORMATS)

    def get_import_data_kwargs(self, **kwargs: Any) -> dict[str, Any]:
        return {**super().get_import_data_kwargs(**kwargs), "rollback_on_validation_errors": True}

    def get_tmp_storage_class_kwargs(self) -> dict[str, Any]:
        return _uploads.get()

    def import_action(self, request: HttpRequest, **kwargs: Any) -> Any:
        with _uploads_of(request.user), said(has_happened=True):
            page = super().import_action(request, **kwargs)
        if result := page.context_data.get("result"):
            page.context_data["bad_cells"] = list(bad_cells(result))
        return page

    def process_import(self, request: HttpRequest, **kwargs: Any) -> Any:
        try:
            # A file holds many: what is unlikely in it is flagged, not asked.
            with _uploads_of(request.user, is_taken=True), said(has_happened=True):
                return super().process_import(request, **kwargs)
        except Expired:
            messages.error(
                request,
                "Nothing was imported now: the file was imported already, or uploaded over an hour ago. Please look at "
                "the list before you upload it again.",
            )
            return HttpResponseRedirect(self._import_page())

    def process_result(self, result: object, request: HttpRequest) -> Any:
        wrong = list(bad_cells(result))
        if not wrong:
            return super().process_result(result, request)
        # Since the trial run something has changed.
        first = wrong[0]
        place = "" if first.line is None else f"Line {first.line}: "
        messages.error(request, f"Nothing was imported. {place}{first.problem}")
        return HttpResponseRedirect(self._import_page())

    def _import_page(self) -> str:
        return reverse("admin:{}_{}_import".format(*self.get_model_info()))
