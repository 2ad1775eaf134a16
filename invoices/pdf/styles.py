"""Computed styles that are kept from document to document."""

from typing import Any

from weasyprint import CSS
from weasyprint.css import StyleFor

from invoices.pdf.fonts import OwnFonts
from invoices.pdf.page import Page


class KeptStyles(StyleFor):  # type: ignore[misc]  # WeasyPrint has no types
    """The computed styles of a page's elements.

    Two elements have the same where their parents have the same and the same declarations apply to them. WeasyPrint
    computes it once for all of them in a document; here it is once for all documents. ``kept`` is what was computed,
    and is good for these ``sheets`` and ``fonts`` alone: a value of a sheet is told by its identity. There is no
    browser's style sheet below ours.
    """

    def __init__(self, kept: dict[object, Any], page: Page, sheets: list[CSS], fonts: OwnFonts) -> None:
        self._kept = kept
        super().__init__(page, [(sheet, "user", None) for sheet in sheets], False, fonts, None)

    def set_computed_styles(self, element: Any, parent: Any, pseudo_type: str | None = None, **more: Any) -> None:
        cascaded = self.get_cascaded_styles().get((element, pseudo_type), {})
        computed = self.get_computed_styles()
        declared = tuple((name, id(value)) for name, (value, _) in cascaded.items())
        key = id(computed.get((parent, None))), pseudo_type, declared
        if key in self._kept:
            computed[element, pseudo_type] = self._kept[key]
        else:
            super().set_computed_styles(element, parent, pseudo_type=pseudo_type, **more)
            self._kept[key] = computed[element, pseudo_type]
