"""What Django's system checks should know about this project."""

import os
from pathlib import Path

from django.conf import settings
from django.core.checks import CheckMessage, Warning, register


@register
def documents_can_be_stored(**_: object) -> list[CheckMessage]:
    if settings.DOCUMENTS_BUCKET:
        return []
    folder = Path(settings.MEDIA_ROOT)
    there = next(path for path in (folder, *folder.parents) if path.exists())
    if there.is_dir() and os.access(there, os.W_OK | os.X_OK):
        return []
    return [Warning(f"MEDIA_ROOT ({folder}) can't be written to: no sale can store its invoice.", id="core.W001")]
