"""Time is read from one clock, money is exact and rounded in one place: docs/architecture.md."""

import ast
from collections.abc import Iterator

import pytest

from tests.architecture.trees import attributes, breaches, broken, files, uses, using

pytestmark = pytest.mark.any_engine


_times = using(
    "datetime.datetime.now", "datetime.datetime.utcnow", "datetime.datetime.today", "datetime.date.today",
    "time.time", "time.time_ns", "time.localtime", "time.gmtime", "time.ctime", "time.strftime",
    "django.utils.timezone.now", "django.utils.timezone.localtime", "django.utils.timezone.localdate", "django.utils.timezone.datetime.",
    "django.db.models.functions.Now", "django.db.models.functions.datetime.Now",
)  # fmt: skip


def times_read(tree: ast.Module) -> Iterator[int]:
    yield from _times(tree)
    yield from attributes("utcnow", "utcfromtimestamp")(tree)
    yield from (node.value.lineno for node in ast.walk(tree) if isinstance(node, ast.keyword) and node.arg in ("auto_now", "auto_now_add"))  # fmt: skip


STAMPED_BY_DJANGO = {"accounts/models.py", "customers/models.py"}
"""Columns whose default is Django's clock, which is that of `foundation.clock`."""


def test_time_is_read_from_the_clock_alone() -> None:
    assert files(breaches(times_read)) == {"foundation/clock.py", *STAMPED_BY_DJANGO}


@pytest.mark.parametrize(
    "source",
    [
        "from datetime import datetime\ndatetime.now(UTC)",
        "from datetime import datetime\ndatetime.utcnow()",
        "from datetime import datetime as moment\nmoment.today()",
        "from datetime import date\ndate.today()",
        "import datetime\ndatetime.datetime.now()",
        "import datetime as dt\ndt.date.today()",
        "from django.utils import timezone\ntimezone.now()",
        "from django.utils import timezone as tz\ntz.localdate()",
        "from django.utils import timezone\nfield = DateTimeField(default=timezone.now)",
        "import django.utils.timezone\ndjango.utils.timezone.now()",
        "from django import utils\nutils.timezone.now()",
        "#\nfrom django.utils.timezone import now",
        "import time\ntime.time()",
        "#\nfrom time import time as seconds",
        "from datetime import datetime\ngetattr(datetime, 'now')()",
        "from datetime import date, datetime\nread = datetime.now",
        "import datetime\nread = lambda: datetime.date.today()",
        "#\nmoment.utcnow()",
        "#\nupdated_at = DateTimeField(auto_now=True)",
        "#\nfrom django.db.models.functions import Now",
    ],
)
def test_every_way_to_read_the_time_is_found(source: str) -> None:
    assert broken(times_read, source) == [2]


def test_what_reads_no_time_is_let_through() -> None:
    assert broken(times_read, "import time\ntime.sleep(1)\ntime.perf_counter()\nnow = clock.now()") == []
    assert broken(times_read, "from datetime import datetime\ndatetime.fromisoformat(text)") == []


def test_a_second_name_does_not_hide_the_clock() -> None:
    assert broken(times_read, "from datetime import datetime\nkind = datetime\nkind.now()") == [3]


_roundings = using("decimal.getcontext", "decimal.setcontext", "decimal.localcontext", "decimal.Context", "round", "math.floor", "math.ceil", "math.trunc", "django.db.models.functions.Round", "django.db.models.functions.math.Round", "django.db.models.functions.Ceil", "django.db.models.functions.Floor", "django.db.models.functions.TruncDecimal")  # fmt: skip
_by_method = attributes("quantize", "to_integral_value", "to_integral", "to_integral_exact")


def roundings(tree: ast.Module) -> Iterator[int]:
    yield from _roundings(tree)
    yield from _by_method(tree)
    yield from (line for line, name in uses(tree) if name.startswith("decimal.ROUND_"))


def test_money_is_rounded_in_one_place() -> None:
    """Minutes and milliseconds are no money; and the check of the books computes in whole hundredths beside us.

    What becomes of a number that can't be read is a matter of the context, too.
    """
    others = {
        "accounts/admin.py", "foundation/observability/middleware.py", "foundation/unreadable.py",
        "reports/verification/figures.py",
    }  # fmt: skip
    assert files(breaches(roundings)) == {"foundation/money.py", *others}


@pytest.mark.parametrize(
    "source",
    [
        "from decimal import Decimal\namount.quantize(Decimal('0.01'))",
        "#\ngetattr(amount, 'quantize')(CENT)",
        "#\ncents = round(amount, 2)",
        "#\nrounded = map(round, amounts)",
        "#\nfrom decimal import ROUND_HALF_EVEN as mode",
        "import decimal\nmode = decimal.ROUND_DOWN",
        "import decimal\nwith decimal.localcontext() as context: context.prec = 2",
        "#\nfrom django.db.models.functions import Round",
        "import math\nmath.floor(amount)",
        "#\namount.to_integral_value()",
    ],
)
def test_every_way_to_round_is_found(source: str) -> None:
    assert broken(roundings, source) == [2]


def floats(tree: ast.Module) -> Iterator[int]:
    """Binary fractions: literals, conversions and columns. What is only said to be one, or asked whether, is none."""
    yield from attributes("FloatField", "from_float")(tree)
    for node in ast.walk(tree):
        match node:
            case ast.Constant(float()) | ast.Call(ast.Name("float")) | ast.ImportFrom(names=[ast.alias("FloatField")]):
                yield node.lineno
            case ast.Call(func, arguments) if ast.unparse(func) != "isinstance":
                given = [*arguments, *(keyword.value for keyword in node.keywords)]
                yield from (value.lineno for value in given if isinstance(value, ast.Name) and value.id == "float")


WITHOUT_MONEY = {
    "audit/seals.py",  # seconds
    "foundation/commands.py",  # how long to wait before the next attempt
    "foundation/observability/metrics.py",  # seconds
    "periods/management/commands/seed_demo.py",  # how much of a day has passed
}


def test_nothing_about_money_is_a_binary_fraction() -> None:
    assert files(breaches(floats)) == WITHOUT_MONEY


@pytest.mark.parametrize(
    "line",
    [
        "gst = amount * 0.09",
        "gst = Decimal(0.09)",
        "total = float(amount)",
        "total = sum(map(float, amounts))",
        "total = read(text, cast=float)",
        "amount = models.FloatField()",
        "from rest_framework.serializers import FloatField",
        "total = Decimal.from_float(amount)",
    ],
)
def test_every_binary_fraction_is_found(line: str) -> None:
    assert broken(floats, line) == [1]
    assert broken(floats, "def wait() -> float: return 9\nisinstance(data, int | float)\nisinstance(data, float)") == []
