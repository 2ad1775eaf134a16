"""Handing a message to the mail server, and knowing afterwards whether it took it.

A message must not be sent twice, so it matters when something failed. Until the message itself is handed over
nothing has been taken. From then on only the server's answer tells: where that is lost, the message may be on its
way (RFC 5321 section 4.5.3.2.6 makes the server responsible once it has answered; RFC 1047 describes the gap).
"""

import smtplib
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from django.core.mail import EmailMessage, mailers
from django.core.mail.backends import smtp


class Outcome(Enum):
    ACCEPTED = auto()
    LATER = auto()
    """Not taken, and it may work later."""
    REFUSED = auto()
    """Not taken, and it never will be."""
    UNCERTAIN = auto()
    """The answer was lost: it may have been taken."""


@dataclass(frozen=True, slots=True)
class Delivery:
    outcome: Outcome
    error: str = ""


class _Watched:
    """Notes when the message is handed over."""

    is_handed_over = False

    def data(self, msg: object) -> Any:
        self.is_handed_over = True
        return super().data(msg)  # type: ignore[misc]  # smtplib's, which comes behind it


class _WatchedSMTP(_Watched, smtplib.SMTP):
    pass


class _WatchedSMTPWithTLS(_Watched, smtplib.SMTP_SSL):
    pass


class SmtpBackend(smtp.EmailBackend):
    """Django's, over a connection that can be asked how far it came."""

    @property
    def connection_class(self) -> Any:
        return _WatchedSMTPWithTLS if self.use_ssl else _WatchedSMTP


def deliver(message: EmailMessage) -> Delivery:
    """Send one message by the default mailer. Never raises for what the server or the network does."""
    mailer: Any = mailers.default
    try:
        mailer.open()
    except OSError as error:  # smtplib's errors are OSErrors too
        return Delivery(Outcome.LATER, _told(error))
    connection = getattr(mailer, "connection", None)
    try:
        mailer.send_messages([message])
    except smtplib.SMTPRecipientsRefused as error:
        codes = [code for code, _ in error.recipients.values()]
        return Delivery(_by_code(min(codes, default=500)), _told(error))
    except smtplib.SMTPResponseException as error:
        return Delivery(_by_code(error.smtp_code), _told(error))
    except OSError as error:
        handed_over = getattr(connection, "is_handed_over", False)
        return Delivery(Outcome.UNCERTAIN if handed_over else Outcome.LATER, _told(error))
    finally:
        # The message's fate is known; that the goodbye fails changes nothing.
        with suppress(OSError):
            mailer.close()
    return Delivery(Outcome.ACCEPTED)


def _by_code(code: int) -> Outcome:
    """A reply that begins with 4 is about the moment, one with 5 about the message (RFC 5321 section 4.2.1)."""
    return Outcome.LATER if 400 <= code < 500 else Outcome.REFUSED


def _told(error: OSError) -> str:
    """What the server or the system said, as plain text on one line."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        parts: Any = next(iter(error.recipients.values()), ())
    else:
        parts = error.args
    words = (part.decode(errors="replace") if isinstance(part, bytes) else str(part) for part in parts)
    return " ".join(" ".join(words).split()) or type(error).__name__
