"""The PDF renderer: a page and a style sheet in, bytes out.

`renderer` puts it together, `page` reads the markup, `fonts` and `glyphs` embed our fonts, `qr` draws QR codes, and
`stack` keeps Python quick in a deep call.

The same page gives the same bytes, in any process, time zone and locale, whichever fonts the machine has. So nothing
is taken from outside: the fonts are our own, and the PDF's dates are the document's.

The bytes also depend on the versions of the libraries that lay text out and compress it (WeasyPrint, Pango,
HarfBuzz, zlib). An upgrade may move a hair, so a stored PDF is never replaced by a newly rendered one.
"""

import os
import warnings
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

TEMPLATES = Path(__file__).resolve().parent.parent.parent / "templates" / "invoices"

# fontconfig reads this when WeasyPrint is imported and whenever a FontConfiguration is made. It stays set:
# changing the environment later isn't safe beside other threads. It stands here because a package is imported
# before its modules.
os.environ["FONTCONFIG_FILE"] = str(TEMPLATES / "fonts" / "fonts.conf")
with warnings.catch_warnings():
    # There are no fonts but those that `fonts` adds, and HarfBuzz's subsetter isn't used.
    warnings.filterwarnings("ignore", message="No fonts configured", category=UserWarning)
    warnings.filterwarnings("ignore", message="HarfBuzz-Subset", category=DeprecationWarning)
    try:
        import weasyprint  # noqa: F401 -- finds out whether its libraries are there
    except OSError as error:
        raise ImproperlyConfigured(
            f"Pango, which draws the invoices, is missing; `make setup` gets it. {error}"
        ) from None
