"""A font file with a few of its glyphs."""

import struct
from collections.abc import Iterable
from io import BytesIO

from fontTools.ttLib.sfnt import SFNTReader, SFNTWriter


def keep_glyphs(font: bytes, glyphs: Iterable[int]) -> bytes:
    """A TrueType file with the outlines of ``glyphs`` alone. They keep their numbers, the rest are blank.

    Enough for a PDF, which finds glyphs by number. Counts on fonts made by `scripts/subset_fonts.py`, whose
    glyphs don't refer to one another and have no hints.
    """
    tables = SFNTReader(BytesIO(font))
    head, hhea, maxp = (bytearray(tables[tag]) for tag in ("head", "hhea", "maxp"))
    glyf, loca, hmtx = (tables[tag] for tag in ("glyf", "loca", "hmtx"))
    (available,) = struct.unpack_from(">H", maxp, 4)
    (metric_count,) = struct.unpack_from(">H", hhea, 34)
    (has_long_offsets,) = struct.unpack_from(">H", head, 50)
    # A character that the font lacks is asked for under a number past the end; it prints as glyph 0.
    kept = sorted({0, *(glyph for glyph in glyphs if glyph < available)})
    count = kept[-1] + 1
    outlines, offsets, metrics = bytearray(), [0], bytearray(4 * count)
    for glyph in kept:
        if has_long_offsets:
            start, end = struct.unpack_from(">2I", loca, 4 * glyph)
        else:
            start, end = (2 * half for half in struct.unpack_from(">2H", loca, 2 * glyph))
        offsets += [len(outlines)] * (glyph + 1 - len(offsets))
        outlines += glyf[start:end]
        outlines += bytes(-len(outlines) % 4)
        offsets.append(len(outlines))
        bearing = 4 * glyph + 2 if glyph < metric_count else 4 * metric_count + 2 * (glyph - metric_count)
        metrics[4 * glyph : 4 * glyph + 2] = hmtx[4 * min(glyph, metric_count - 1) :][:2]
        metrics[4 * glyph + 2 : 4 * glyph + 4] = hmtx[bearing : bearing + 2]
    struct.pack_into(">H", maxp, 4, count)
    struct.pack_into(">H", hhea, 34, count)
    struct.pack_into(">H", head, 50, 1)
    file = BytesIO()
    writer = SFNTWriter(file, numTables=6)
    writer["glyf"] = bytes(outlines)
    writer["head"] = bytes(head)
    writer["hhea"] = bytes(hhea)
    writer["hmtx"] = bytes(metrics)
    writer["loca"] = struct.pack(f">{len(offsets)}I", *offsets)
    writer["maxp"] = bytes(maxp)
    writer.close()
    return file.getvalue()
