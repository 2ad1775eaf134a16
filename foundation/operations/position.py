"""Where something stands in the one order of what happened.

By its corrected time; what moves before the counts of the same moment; and what a device numbered above a count of its
own, after that count, whatever its time says. Never by arrival: any order in which things come ends in the same books.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

JUST_AFTER = timedelta(microseconds=1)
"""What follows a count whatever its time says stands so long after it."""


@dataclass(frozen=True, slots=True)
class Position:
    """A place in the order. ``device`` and ``number`` as in `foundation.operations.models.Ordered`."""

    at: datetime
    device: str = ""
    number: int | None = None

    @property
    def columns(self) -> dict[str, object]:
        """Of a row that stands here."""
        return {"ordered_at": self.at, "device": self.device, "device_number": self.number}
