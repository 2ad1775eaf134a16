"""Phones: what their clocks show, how they number, and what the server makes of the times that they send."""

from dataclasses import dataclass
from random import Random

from tests.simulator.rule import Origin

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE


@dataclass
class Recorded:
    """An operation in a phone's queue: the time that its clock showed, and the correction that it knew, if any."""

    origin: Origin
    shown: int
    correction: int | None


class Phone:
    """One user's. ``ahead``: how much its clock is, now; ``correction``: what the app takes it to be, if it knows."""

    def __init__(self, device: str, user: str, *, ahead: int, correction: int | None) -> None:
        self.device, self.user = device, user
        self.ahead, self.correction = ahead, correction
        self.number = 0

    def record(self, now: int) -> Recorded:
        self.number += 1
        return Recorded(Origin(self.device, self.user, self.number), now + self.ahead, self.correction)

    def reinstall(self, device: str) -> None:
        """The app begins again: with another device id, at number 1."""
        self.device, self.number = device, 0

    def receive(self, recorded: Recorded, sent: int, received: int) -> int:
        """The corrected time of an operation at its first receipt, which is fixed from then on; none is in the future.

        A phone that doesn't know how wrong it was is taken to have been as wrong as it is when it sends.
        """
        by = recorded.correction
        if by is None:
            by = received - (sent + self.ahead)
        return max(0, min(recorded.shown + by, received))


class Clocks:
    """How wrong they are. ``jumping``: they are put right, or wrong, at any time, and what the app knows is old."""

    def __init__(self, chance: Random, *, jumping: bool) -> None:
        self.chance, self.jumping = chance, jumping

    def phone(self, device: str, user: str) -> Phone:
        ahead = self._anything()
        return Phone(device, user, ahead=ahead, correction=self.chance.choice([None, -ahead]))

    def pass_time(self, phone: Phone) -> None:
        if self.jumping and self.chance.random() < 0.05:
            phone.ahead = self._anything()
        if self.jumping and self.chance.random() < 0.05:
            phone.correction = self.chance.choice([None, -phone.ahead])

    def latency(self) -> int:
        """From sending to receipt."""
        return self.chance.randrange(5) * SECOND if self.jumping else 0

    def _anything(self) -> int:
        return self.chance.choice([0, 0, self.chance.randrange(-3 * HOUR, 3 * HOUR), 26 * HOUR, -26 * HOUR])
