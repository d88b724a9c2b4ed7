"""What was done to a tenant's records, by whom: entries in the order of their commits, chained by hashes. No I/O.

Every entry's hash covers the one before it, so nothing can be changed, left out or put in without all that follows
disagreeing. What is personal in an entry stands apart and is covered by a digest alone, so that it can be erased.
"""

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

START = ""
"""What the first entry's hash covers in the place of one before it."""
ERASED = "{}"
"""What stands in the place of personal values that were erased."""
ERASE = "AccountService/EraseSubject"
"""The method whose entry allows that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One thing done. `place` counts a tenant's entries in the order of their commits, from 1 on.

    `method` is the call, as `BillingService/CreateFee`, or what was done at the command line, as `local/create_key`.
    `key_id` and `key_name` are of the API key that it came with, `actor` is the person whom the caller names, `source`
    where it came from. `request_id` is the call's name, which log lines carry, too. `details` are JSON: `request` is
    what was asked for and `changes` the rows that were changed by it, before and after; in `personal`, JSON too, stand
    those values in it that are of a person, with a salt; it is empty where there are none.
    """

    place: int
    entry_time: int
    method: str
    account_id: str = ""
    resource: str = ""
    key_id: str = ""
    key_name: str = ""
    actor: str = ""
    source: str = ""
    request_id: str = ""
    reason: str = ""
    details: str = "{}"
    personal: str = ""
    personal_digest: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchor:
    """What the chain came to at a place when that was sealed; `is_genuine` is None where nobody can say."""

    place: int
    hash: str
    anchor_time: int
    is_genuine: bool | None = None


class Fault(StrEnum):
    """What is wrong with an entry."""

    MISSING = "missing"
    CHANGED = "changed"
    UNCHAINED = "not chained"
    PERSONAL = "personal values changed"
    ANCHOR = "not what was anchored"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What verifying came to: the first entry that is not as it was chained, if any.

    `entries` are in order up to there, `waiting` are not chained yet; `anchored` is the last place that a genuine
    anchor vouches for.
    """

    entries: int
    waiting: int = 0
    anchored: int = 0
    head: str = START
    place: int = 0
    fault: Fault | None = None


def digest(personal: str) -> str:
    """What an entry says of its personal values."""
    return hashlib.sha256(personal.encode()).hexdigest() if personal else ""


def chained(before: str, entry: AuditEntry) -> str:
    """An entry's hash, behind the one before it."""
    values = {name: getattr(entry, name) for name in AuditEntry.__slots__ if name != "personal"}
    text = json.dumps([before, values], sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


class Verifier:
    """Goes through a tenant's entries once, in order."""

    def __init__(
        self, *, links: int, anchors: Iterable[Anchor], erasures: Mapping[str, int], after: int = 0, head: str = START
    ) -> None:
        """`links` is the last place that is chained; `erasures` say where each account's data was erased last.

        It begins behind a place, which was chained with the hash `head`.
        """
        self._links = links
        self._anchors = {anchor.place: anchor for anchor in anchors}
        self._erasures = erasures
        self.verdict = Verdict(entries=after, head=head)

    def see(self, entries: Iterable[tuple[AuditEntry, str | None]]) -> bool:
        """Look at the next entries, each with the hash that it was chained with, if any; False once one is wrong."""
        for entry, link in entries:
            verdict = self.verdict
            place = verdict.entries + verdict.waiting + 1
            fault = self._fault(entry, link, place)
            if fault is not None:
                self.verdict = _wrong(verdict, place, fault)
                return False
            if link is None:
                self.verdict = _seen(verdict, waiting=verdict.waiting + 1)
            else:
                anchor = self._anchors.get(place)
                anchored = place if anchor is not None and anchor.is_genuine else verdict.anchored
                self.verdict = _seen(verdict, entries=place, head=link, anchored=anchored)
        return True

    def end(self) -> Verdict:
        """What it came to, with all entries seen."""
        verdict = self.verdict
        last = max([self._links, *(place for place in self._anchors)], default=0)
        if verdict.fault is None and verdict.entries < last:
            self.verdict = _wrong(verdict, verdict.entries + 1, Fault.MISSING)
        return self.verdict

    def _fault(self, entry: AuditEntry, link: str | None, place: int) -> Fault | None:
        if entry.place != place:
            return Fault.MISSING
        if link is None:
            return Fault.UNCHAINED if place <= self._links else self._personal(entry)
        if chained(self.verdict.head, entry) != link:
            return Fault.CHANGED
        anchor = self._anchors.get(place)
        if anchor is not None and (anchor.hash != link or anchor.is_genuine is False):
            return Fault.ANCHOR
        return self._personal(entry)

    def _personal(self, entry: AuditEntry) -> Fault | None:
        if digest(entry.personal) == entry.personal_digest:
            return None
        erased = entry.personal == ERASED and self._erasures.get(entry.account_id, 0) >= entry.place
        return None if erased else Fault.PERSONAL


def _wrong(verdict: Verdict, place: int, fault: Fault) -> Verdict:
    return _seen(verdict, place=place, fault=fault)


def _seen(verdict: Verdict, **values: Any) -> Verdict:  # noqa: ANN401 - a verdict's own fields
    known = {name: getattr(verdict, name) for name in Verdict.__slots__}
    return Verdict(**{**known, **values})


_SECRET = ("secret", "token", "password", "credential", "code_hash", "key_hash", "api_key", "iban", "private", "digest")
_NO_SECRET = frozenset({"page_token", "personal_digest"})
_PERSONAL = frozenset(
    {"party", "seller", "buyer", "profile", "address", "email", "emails", "metadata", "registration_id", "tax_facts"}
    | {"recipient", "user_id", "user_ids", "users", "tax_id", "tax_ids", "confirmed_by", "electronic_address"}
)
"""Fields, of requests and of rows, whose values are of a person, or may be."""
HIDDEN = "***"


def parted(document: Any, *, secrets: Collection[str] = ()) -> tuple[Any, list[Any]]:  # noqa: ANN401 - any JSON
    """A document without its secrets and personal values, and these last; where one stood there is its number.

    `secrets` are names of fields that hold one beside those that tell by their name.
    """
    personal: list[Any] = []

    def walk(value: Any) -> Any:  # noqa: ANN401 - any JSON
        match value:
            case dict():
                return {name: field(name, each) for name, each in value.items()}
            case list() | tuple():
                return [walk(each) for each in value]
            case _:
                return value

    def field(name: str, value: Any) -> Any:  # noqa: ANN401 - any JSON
        if value in (None, "", [], {}):
            return value
        if name in secrets or (name not in _NO_SECRET and any(word in name for word in _SECRET)):
            return HIDDEN
        if name in _PERSONAL:
            public, inner = parted(value, secrets=secrets)
            personal.append(_restored(public, inner))
            return {"personal": len(personal) - 1}
        return walk(value)

    return walk(document), personal


def joined(details: str, personal: str) -> Any:  # noqa: ANN401 - any JSON
    """A document as it was, but for its secrets, and for what was erased."""
    values = json.loads(personal).get("values", []) if personal else []
    return _restored(json.loads(details), values)


def _restored(value: Any, personal: list[Any]) -> Any:  # noqa: ANN401 - any JSON
    match value:
        case {"personal": int(number), **rest} if not rest:
            return personal[number] if number < len(personal) else "erased"
        case dict():
            return {name: _restored(each, personal) for name, each in value.items()}
        case list():
            return [_restored(each, personal) for each in value]
        case _:
            return value
