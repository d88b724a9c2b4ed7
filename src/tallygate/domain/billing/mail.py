"""Mails as values: who they are for, and what they say; no text of it can become another header. No clock, no I/O."""

import re
import unicodedata
from dataclasses import dataclass

_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.?)+")
_LONGEST_ADDRESS = 254
_LONGEST_NAME = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Enclosure:
    """A file that goes with a letter, as `application/pdf`."""

    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """What a mail says, as text and as a page that loads nothing, with what is enclosed."""

    subject: str
    text: str
    html: str
    enclosures: tuple[Enclosure, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """A letter on its way. Of an `identity` there is one letter: whoever gets it twice can tell."""

    identity: str
    to_address: str
    to_name: str
    from_name: str
    reply_to: str
    letter: Letter
    time: int


def usable_address(text: str) -> str:
    """An address that mail can be sent to, in ASCII; empty where it is none."""
    local, sign, domain = text.strip().rpartition("@")
    try:
        ascii_domain = domain.encode("idna").decode() if sign else ""
    except UnicodeError:
        return ""
    address = f"{local}@{ascii_domain}"
    return address if len(address) <= _LONGEST_ADDRESS and _ADDRESS.fullmatch(address) else ""


def one_line(text: str, *, longest: int = _LONGEST_NAME) -> str:
    """A text that stays one header, whoever wrote it: without line ends and control characters."""
    shown = "".join(" " if unicodedata.category(sign)[0] in "CZ" else sign for sign in text)
    return " ".join(shown.split())[:longest]
