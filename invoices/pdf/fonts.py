"""The fonts that the repository ships: the layout knows no other, and a document gets what it uses of them."""

import os
from typing import Any

from weasyprint.pdf.fonts import Font
from weasyprint.text.ffi import ffi, fontconfig, pangoft2
from weasyprint.text.fonts import FontConfiguration

from foundation.characters import FONTS
from invoices.pdf.glyphs import keep_glyphs


class OwnFonts(FontConfiguration):  # type: ignore[misc]  # WeasyPrint has no types
    """What the layout finds fonts in."""

    def __init__(self) -> None:
        super().__init__()
        for file in FONTS:
            if not fontconfig.FcConfigAppFontAddFile(self._config, os.fsencode(file)):
                raise FileNotFoundError(f"The invoices' font {file.name} is damaged.")
        pangoft2.pango_fc_font_map_config_changed(ffi.cast("PangoFcFontMap *", self.font_map))


class _EmbeddedFont(Font):  # type: ignore[misc]  # WeasyPrint has no types
    """A font that is embedded by copying the outlines that occur.

    WeasyPrint's own way is HarfBuzz's subsetter or, where that library is missing, fontTools: the two give
    other bytes, and the latter takes longer than all the rest of the page.
    """

    file_content: bytes

    def subset(self, to_unicode: dict[int, str], hinting: bool) -> None:
        self.file_content = keep_glyphs(self.file_content, to_unicode)


class EmbeddedFonts(dict[int, Any]):
    """A document's fonts; WeasyPrint puts each in when its first character is painted."""

    def __setitem__(self, key: int, font: Font) -> None:
        font.__class__ = _EmbeddedFont
        super().__setitem__(key, font)
