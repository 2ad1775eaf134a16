"""Make the small fonts that invoices are printed with, from the full ones that Debian packages.

Run it only to change the set of characters; the result is kept in the repository. The same
packages and the same fontTools give the same bytes. `templates/invoices/fonts/README.md` has the command.

The fonts are made for `invoices/pdf/glyphs.py`, which embeds single glyphs by copying their bytes: outlines
are TrueType, without hints and without composites, and figures are tabular by default, so that columns
of money stand under each other without any font feature asked for.
"""

import argparse
import bz2
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from fontTools import subset
from fontTools.pens.cu2quPen import Cu2QuPen
from fontTools.pens.recordingPen import DecomposingRecordingPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTFont, newTable

FONTS = Path(__file__).resolve().parent.parent / "templates" / "invoices" / "fonts"


@dataclass(frozen=True)
class Source:
    """One font to make, and what to take of the font that it is made from."""

    path: str
    """Below the folder of the system's fonts."""
    number: int
    """Which face of a collection; -1 for a single font."""
    family: str
    style: str
    file_name: str
    characters: frozenset[int]
    layout_features: tuple[str, ...]


# What the table "maxp" of a TrueType font has and of a CFF font hasn't.
MAXIMA_WITHOUT_HINTS_AND_COMPOSITES = (
    "maxTwilightPoints",
    "maxStorage",
    "maxFunctionDefs",
    "maxInstructionDefs",
    "maxStackElements",
    "maxSizeOfInstructions",
    "maxPoints",
    "maxContours",
    "maxComponentElements",
    "maxCompositePoints",
    "maxCompositeContours",
    "maxComponentDepth",
)


def _ranges(*pairs: tuple[int, int]) -> frozenset[int]:
    return frozenset(code for first, last in pairs for code in range(first, last + 1))


def _two_byte_characters(codec: str, leads: Iterable[int]) -> frozenset[int]:
    """The characters of a two-byte character set whose first byte is among ``leads``."""
    found: set[int] = set()
    for lead in leads:
        for trail in range(0x40, 0xFF):
            try:
                found.update(map(ord, bytes([lead, trail]).decode(codec)))
            except UnicodeDecodeError:
                continue
    return frozenset(code for code in found if code >= 0x80)


LATIN = _ranges(
    (0x20, 0x7E),
    (0xA0, 0x17F),
    (0x1A0, 0x1A1),
    (0x1AF, 0x1B0),
    (0x1CD, 0x1DC),
    (0x218, 0x21B),
    (0x1E80, 0x1E85),
    (0x1EA0, 0x1EF9),
    (0x2010, 0x2015),
    (0x2018, 0x201E),
    (0x2020, 0x2022),
    (0x2026, 0x2026),
    (0x202F, 0x2030),
    (0x2032, 0x2033),
    (0x2039, 0x203A),
    (0x2044, 0x2044),
    (0x2070, 0x2089),
    (0x20A0, 0x20BF),
    (0x2116, 0x2116),
    (0x2120, 0x2122),
    (0x2150, 0x215E),
    (0x2190, 0x2193),
    (0x2212, 0x2212),
    (0x2248, 0x2248),
    (0x2260, 0x2260),
    (0x2264, 0x2265),
)
# A space is printed in the font of the word before it.
SPACES = frozenset({0x20, 0xA0})
# All of GB 2312 and of Big5: simplified and traditional, with kana, full-width forms and punctuation.
CHINESE = (
    _two_byte_characters("gb2312", range(0xA1, 0xF8)) | _two_byte_characters("big5", range(0xA1, 0xFA))
) - LATIN | SPACES
# What every script may have between its letters: joiners, and the circle that a mark without a letter stands on.
JOINERS = frozenset({0x200C, 0x200D, 0x25CC})
DANDAS = _ranges((0x964, 0x965))
TAMIL = SPACES | JOINERS | DANDAS | _ranges((0xB80, 0xBFF))
TAMIL_FEATURES = ("abvs", "akhn", "half", "haln", "psts", "abvm", "blwm", "dist", "kern")
# All that HarfBuzz uses unasked to shape any script.
SHAPING = tuple(subset.Options().layout_features)
KOREAN = (
    SPACES
    | _ranges((0x3131, 0x318E))
    | {code for code in _two_byte_characters("euc_kr", range(0xB0, 0xC9)) if 0xAC00 <= code <= 0xD7A3}
)


def _table_of_general_standard_characters(unicode_data: Path) -> frozenset[int]:
    """The 8,105 characters that China's law has names written with, from the Unihan database."""
    with bz2.open(unicode_data / "Unihan_OtherMappings.txt.bz2", "rt", encoding="utf-8") as lines:
        return frozenset(int(line.split("\t")[0][2:], 16) for line in lines if "\tkTGH\t" in line)


def _rare_chinese(unicode_data: Path) -> frozenset[int]:
    """What names have beyond ``CHINESE``: China's table, Hong Kong's set, and Japan's."""
    japanese = _two_byte_characters("shift_jis", [*range(0x81, 0xA0), *range(0xE0, 0xFD)])
    hong_kong = _two_byte_characters("big5hkscs", range(0x81, 0xFF))
    return (_table_of_general_standard_characters(unicode_data) | hong_kong | japanese) - CHINESE - LATIN | SPACES


def _latin(style: str) -> Source:
    source, file_name = f"opentype/inter/Inter-{style}.otf", f"latin-{style.lower()}.ttf"
    return Source(source, -1, "HSH Invoice", style, file_name, LATIN, ("kern",))


def _cjk(number: int, script: str, characters: frozenset[int]) -> Source:
    file_name = f"{script.lower().replace(' ', '-')}.ttf"
    return Source(
        "opentype/noto/NotoSansCJK-Regular.ttc", number, f"HSH Invoice {script}", "Regular", file_name, characters, ()
    )


def _noto(script: str, characters: frozenset[int], features: tuple[str, ...] = SHAPING) -> Source:
    return Source(
        f"truetype/noto/NotoSans{script}-Regular.ttf",
        -1,
        f"HSH Invoice {script}",
        "Regular",
        f"{script.lower()}.ttf",
        SPACES | JOINERS | characters,
        features,
    )


def sources(unicode_data: Path) -> list[Source]:
    """All the fonts there are."""
    return [
        _latin("Regular"),
        _latin("SemiBold"),
        _cjk(2, "Chinese", CHINESE),
        _cjk(2, "Rare Chinese", _rare_chinese(unicode_data)),
        _cjk(1, "Korean", KOREAN),
        _noto("Tamil", TAMIL, TAMIL_FEATURES),
        # With the letters of Malay (Jawi) and of Urdu, and the words that are one character.
        _noto("Arabic", _ranges((0x600, 0x6FF), (0x750, 0x77F), (0x8A0, 0x8FF), (0xFDF0, 0xFDFD))),
        _noto("Bengali", DANDAS | _ranges((0x980, 0x9FF))),
        _noto("Devanagari", DANDAS | _ranges((0x900, 0x97F), (0xA8E0, 0xA8FF))),
        _noto("Gujarati", DANDAS | _ranges((0xA80, 0xAFF))),
        _noto("Gurmukhi", DANDAS | _ranges((0xA00, 0xA7F))),
        _noto("Malayalam", DANDAS | _ranges((0xD00, 0xD7F))),
        _noto("Myanmar", _ranges((0x1000, 0x109F), (0xAA60, 0xAA7F))),
        _noto("Sinhala", _ranges((0xD80, 0xDFF))),
        _noto("Telugu", DANDAS | _ranges((0xC00, 0xC7F))),
        _noto("Thai", _ranges((0xE00, 0xE7F))),
    ]


def make(source: Source, system_fonts: Path) -> bytes:
    """The font file of ``source``."""
    font = TTFont(system_fonts / source.path, fontNumber=source.number, recalcTimestamp=False)
    _make_figures_tabular(font)
    options = subset.Options(
        layout_features=list(source.layout_features),
        hinting=False,
        notdef_outline=True,
        name_IDs=[0, 5, 13, 14],
        name_languages=[0x409],
        drop_tables=["BASE", "DSIG", "gasp", "vhea", "vmtx", "VORG", "STAT"],
        recalc_timestamp=False,
    )
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=source.characters)
    subsetter.subset(font)
    _make_outlines_simple(font)
    _rename(font, source)
    target = FONTS / source.file_name
    font.save(target, reorderTables=True)
    return target.read_bytes()


def _make_figures_tabular(font: TTFont) -> None:
    """Let 0–9 be the figures of equal width, where the font offers them by its feature ``tnum``."""
    if "GSUB" not in font:
        return
    table = font["GSUB"].table
    lookups = {
        index
        for record in table.FeatureList.FeatureRecord
        if record.FeatureTag == "tnum"
        for index in record.Feature.LookupListIndex
    }
    mapping: dict[str, str] = {}
    for index in lookups:
        for subtable in table.LookupList.Lookup[index].SubTable:
            mapping.update(getattr(subtable, "ExtSubTable", subtable).mapping)
    for characters in font["cmap"].tables:
        if characters.isUnicode():
            for code in set(characters.cmap).intersection(range(ord("0"), ord("9") + 1)):
                characters.cmap[code] = mapping.get(characters.cmap[code], characters.cmap[code])


def _make_outlines_simple(font: TTFont) -> None:
    """Quadratic outlines with no references from one glyph to another."""
    glyphs = font.getGlyphSet()
    is_cubic = "CFF " in font
    simple = {}
    for name in font.getGlyphOrder():
        recording = DecomposingRecordingPen(glyphs)
        glyphs[name].draw(recording)
        pen = TTGlyphPen(None)
        # One thousandth of the em is below what a printer of 600 dpi can show at these sizes.
        recording.replay(Cu2QuPen(pen, font["head"].unitsPerEm / 1000, reverse_direction=True) if is_cubic else pen)
        simple[name] = pen.glyph()
    order = font.getGlyphOrder()
    if is_cubic:
        del font["CFF "]
        font["loca"] = newTable("loca")
        font["glyf"] = newTable("glyf")
        font["maxp"].tableVersion = 0x00010000
        font["maxp"].maxZones = 1
        for field in MAXIMA_WITHOUT_HINTS_AND_COMPOSITES:
            setattr(font["maxp"], field, 0)
        font.sfntVersion = "\x00\x01\x00\x00"
    glyf = font["glyf"]
    glyf.glyphOrder = order
    glyf.glyphs = simple
    for name, glyph in simple.items():
        glyph.recalcBounds(glyf)
        advance, _ = font["hmtx"][name]
        font["hmtx"][name] = (advance, getattr(glyph, "xMin", 0))
    font["post"].formatType = 3.0


def _rename(font: TTFont, source: Source) -> None:
    """A name of its own: a modified font mustn't pass for the original, nor be mixed up with it."""
    postscript_name = f"{source.family}-{source.style}".replace(" ", "")
    for number, text in (
        (1, source.family),
        (2, source.style),
        (3, postscript_name),
        (4, f"{source.family} {source.style}"),
        (6, postscript_name),
    ):
        font["name"].setName(text, number, 3, 1, 0x409)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--system-fonts", type=Path, default=Path("/usr/share/fonts"))
    parser.add_argument("--unicode-data", type=Path, default=Path("/usr/share/unicode"))
    arguments = parser.parse_args()
    for source in sources(arguments.unicode_data):
        size = len(make(source, arguments.system_fonts))
        print(f"{source.file_name}: {size:,} bytes")


if __name__ == "__main__":
    main()
