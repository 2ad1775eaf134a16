"""The text inside a PayNow QR code.

An EMVCo merchant-presented QR code (EMV QRCPS-MPM 1.1) with Singapore's PayNow account in data object 26, as SGQR
lays down (MAS and IMDA, 2018): fields of a two-digit tag, a two-digit length and a value, closed by a CRC.
"""

import binascii
import unicodedata
from decimal import Decimal

_SGD, _SINGAPORE = "702", "SG"  # ISO 4217 and ISO 3166
_NAME_LENGTH, _REFERENCE_LENGTH = 25, 25


def paynow_payload(*, uen: str, name: str, amount: Decimal, reference: str) -> str:
    """Pay ``amount`` dollars, not to be edited, to the business with this UEN; ``reference`` comes with the money."""
    account = _field("00", "SG.PAYNOW") + _field("01", "2") + _field("02", uen) + _field("03", "0")
    payload = (
        _field("00", "01")
        + _field("01", "12")  # for one payment alone
        + _field("26", account)
        + _field("52", "0000")
        + _field("53", _SGD)
        + _field("54", f"{amount:.2f}")
        + _field("58", _SINGAPORE)
        + _field("59", _ascii(name)[:_NAME_LENGTH].strip() or "NA")
        + _field("60", "Singapore")
        + _field("62", _field("01", _ascii(reference)[:_REFERENCE_LENGTH]))
        + "6304"
    )
    return f"{payload}{checksum(payload):04X}"


def checksum(payload: str) -> int:
    """CRC-16/CCITT-FALSE (ISO/IEC 13239: polynomial 1021, initial value FFFF) over the payload with its own tag."""
    return binascii.crc_hqx(payload.encode("ascii"), 0xFFFF)


def _field(tag: str, value: str) -> str:
    return f"{tag}{len(value):02d}{value}"


def _ascii(text: str) -> str:
    """The codes' character set: accents are taken off, the rest is left out."""
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
