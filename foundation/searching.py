"""What a search takes for the same, on every database: José and jose, +65 9123 4567 and 91234567.

Databases differ in what they take for the same, so each row keeps a folded copy of what it is found by, written with
the row, and what is asked for is folded likewise.
"""

import re
import unicodedata
from itertools import batched, product
from typing import Any

from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations import RunPython
from django.db.migrations.state import StateApps
from django.db.models import Func, Model, Q, TextField, Value
from django.db.models.functions import Lower, Replace
from django.db.models.lookups import Contains, Exact

_ACCENTS = re.compile("[\u0300-\u036f]")
# Letters with a stroke, and letters written as one: to Unicode they are no accented ones.
_PLAIN = str.maketrans(
    {"đ": "d", "ð": "d", "ħ": "h", "\u0131": "i", "ł": "l", "ø": "o", "æ": "ae", "œ": "oe", "þ": "th"}
)
_PHONE = re.compile(r"\+?\(?[0-9][0-9 ().-]{5,}[0-9]", re.ASCII)
_OF_SINGAPORE = re.compile(r"(?:65)?([3689][0-9]{7})", re.ASCII)
_ROWS = 1_000


def folded(text: str) -> str:
    """The text without capitals, accents and widths. Marks that are letters' own, as in Thai or Hindi, stay."""
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    return unicodedata.normalize("NFC", _ACCENTS.sub("", plain)).translate(_PLAIN)


def with_phones_joined(asked: str) -> str:
    """What was asked for, its phone numbers as digits alone: Singapore's without 65, others where + begins them."""

    def joined(found: re.Match[str]) -> str:
        digits = _digits(found[0])
        local = _OF_SINGAPORE.fullmatch(digits)
        if local is not None:
            return local[1]
        return digits if found[0].startswith("+") else found[0]

    return _PHONE.sub(joined, unicodedata.normalize("NFKC", asked))


def _digits(text: str) -> str:
    return re.sub("[^0-9]", "", text)


_BETWEEN = " -()./"


def bare(text: str) -> str:
    """What a number or a name says, without capitals, widths and what stands between its characters."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    return "".join(character for character in plain if character not in _BETWEEN and character.isprintable())


def bare_column(name: str) -> Func:
    """The same of a column, as far as every database can do it."""
    plain: Func = Lower(name)
    for character in _BETWEEN:
        plain = Replace(plain, Value(character), Value(""))
    return plain


def alike(name: str, text: str) -> Q | None:
    """Rows whose column says the same as a text; None: the text says nothing."""
    if not bare(text):
        return None
    return Q(**{f"{name}__iexact": text}) | Q(Exact(bare_column(name), bare(text)))


class SearchText(TextField[str, str]):
    """What a row is found by: the texts of its fields, folded, and the digits of phone numbers among them.

    It is written with the row, so that whoever saves some of a row's fields saves its `search_columns` as well. It is
    asked by ``icontains``, as search lists do.
    """

    def __init__(self, *of: str, **options: Any) -> None:
        self.of = of
        super().__init__(**{"db_default": "", "editable": False, **options})

    def deconstruct(self) -> tuple[str, str, list[Any], dict[str, Any]]:
        name, path, _, options = super().deconstruct()
        return name, path, [*self.of], options

    def pre_save(self, model_instance: Model, add: bool) -> str:
        """Django asks for what is to be saved."""
        texts = [getattr(model_instance, name) or "" for name in self.of]
        phones = [_digits(phone) for text in texts for phone in _PHONE.findall(unicodedata.normalize("NFKC", text))]
        value = "\n".join([*map(folded, texts), *phones])
        setattr(model_instance, self.attname, value)
        return value


@SearchText.register_lookup
class _FoldedContains(Contains):
    """Byte for byte, with what is asked for folded as well."""

    lookup_name = "icontains"

    def get_prep_lookup(self) -> str:
        return folded(str(super().get_prep_lookup()))

    def get_rhs_op(self, connection: Any, rhs: str) -> str:
        operator: str = connection.operators[Contains.lookup_name] % rhs
        return operator


def search_columns(model: type[Model] | Model) -> list[str]:
    """The names of a model's columns that are searched."""
    return [field.attname for field in model._meta.concrete_fields if isinstance(field, SearchText)]


def filling_search_columns(app: str, model: str) -> RunPython:
    """A migration's step that fills such columns of the rows that there are."""

    def fill(apps: StateApps, _: BaseDatabaseSchemaEditor) -> None:
        rows = apps.get_model(app, model)._default_manager
        columns = search_columns(rows.model)
        for batch in batched(rows.order_by("pk").iterator(chunk_size=_ROWS), _ROWS, strict=False):
            for row, name in product(batch, columns):
                row._meta.get_field(name).pre_save(row, add=False)
            rows.bulk_update(batch, columns)

    return RunPython(fill, RunPython.noop)
