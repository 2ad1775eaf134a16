"""``manage.py import_data``: master data from a spreadsheet, wholly or not at all."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import User
from customers.imports import CustomerTable, RateTable
from equipment.imports import EquipmentTable
from foundation.access.capabilities import Capability
from foundation.confirmations import said
from foundation.spreadsheets.importing import BadCell, TableResource, Unreadable, bad_cells, read_table, run_import

TABLES: dict[str, type[TableResource]] = {"customers": CustomerTable, "rates": RateTable, "equipment": EquipmentTable}


class Command(BaseCommand):
    help = "Imports customers, contract rates or equipment from a CSV or XLSX file. Without --commit: a trial run."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("table", choices=TABLES)
        parser.add_argument("file", type=Path)
        parser.add_argument("--user", required=True, help="whose doing it is, in the evidence: an administrator's name")
        parser.add_argument("--commit", action="store_true", help="keep what the rows come to, if none is wrong")

    def handle(self, *args: Any, **options: Any) -> None:
        actor = User.objects.get_queryset().filter(username=options["user"], is_active=True).first()
        if actor is None or not actor.can(Capability.MANAGE_MASTER_DATA):
            raise CommandError(f"{options['user']} isn't a user who may change master data.")
        try:
            table = read_table(options["file"].name, options["file"].read_bytes())
        except (OSError, Unreadable) as error:
            raise CommandError(str(error)) from error
        with said(has_happened=True):
            result = run_import(TABLES[options["table"]](), table, actor=actor, is_trial=not options["commit"])
        wrong = list(bad_cells(result))
        for cell in wrong:
            self.stderr.write(_in_words(cell))
        if wrong:
            raise CommandError(f"{len(wrong)} to be put right. Nothing was imported.")
        counts = f"{result.totals['new']} new, {result.totals['update']} changed, {result.totals['skip']} as they were"
        self.stdout.write(f"Imported: {counts}." if options["commit"] else f"A trial run: {counts}. Nothing was kept.")


def _in_words(cell: BadCell) -> str:
    place = "" if cell.line is None else f"line {cell.line}{cell.column and f', {cell.column}'}: "
    return f"{place}{cell.problem}{cell.value and f' ({cell.value!r})'}"
