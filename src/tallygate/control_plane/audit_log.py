"""The audit log as it is kept: chained in the order of commits, anchored daily, verified and shown."""

import json
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from tallygate.domain.audit_log import START, Anchor, AuditEntry, Verdict, Verifier, chained
from tallygate.domain.errors import ConflictError, InvalidFieldError, TallygateError
from tallygate.domain.payment_errors import MasterKeyMissingError, MasterKeyWrongError
from tallygate.records.audit_log import EntryQuery
from tallygate.records.paging import Page, PageRequest, key_of, page_of
from tallygate.records.ports import UnitOfWork
from tallygate.records.sealing import Sealing
from tallygate.records.transactions import Transactions

ANCHORED_EVERY = 86_400_000_000
"""A tenant's chain is anchored so often, in microseconds, where it has grown."""
VERIFIED_AT_ONCE = 20_000
_BATCH = 500
_PAUSE_SECONDS = 2.0
_log = logging.getLogger(__name__)


class Tails(Protocol):
    """Which tenants have something to do. Raises StoreUnavailableError."""

    async def unchained(self) -> Sequence[str]:
        """Those with entries that are not chained."""
        ...

    async def unanchored(self, *, before: int) -> Sequence[str]:
        """Those with links behind their last anchor, which was made before an instant."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Chainer:
    """Chains entries, and anchors what they come to where there is a master key; `clock` is real time."""

    transactions: Transactions
    tails: Tails
    sealing: Sealing
    clock: Callable[[], int]

    async def run(self, sleep: Callable[[float], Awaitable[None]]) -> None:
        """Run for ever; an outage of the store is survived."""
        while True:
            try:
                await self.round()
            except TallygateError as error:
                _log.warning("the audit log waits to be chained: %s", error)
            await sleep(_PAUSE_SECONDS)

    async def round(self) -> None:
        """Chain what is not chained, and anchor what was not for a day. Any number of workers may do so at once."""
        now = self.clock()
        for tenant_id in await self.tails.unchained():
            while (await self.transactions.write(tenant_id, lambda work, _: chain(work), now=now)).value == _BATCH:
                pass
        if not self.sealing.can_seal:
            return
        for tenant_id in await self.tails.unanchored(before=now - ANCHORED_EVERY):
            await self.transactions.write(tenant_id, lambda work, _: anchor(work, self.sealing, now=now), now=now)


async def chain(work: UnitOfWork, *, limit: int = _BATCH) -> int:
    """Chain the next entries, under the lock of the tenant's writers, who commit in the order of their entries."""
    place, head = await work.audit_chain.head()
    entries = await work.audit_log.walk(after=place, limit=limit)
    links: list[tuple[int, str]] = []
    for entry, _ in entries:
        head = chained(head, entry)
        links.append((entry.place, head))
    if links:
        await work.audit_chain.extend(links)
    return len(links)


async def anchor(work: UnitOfWork, sealing: Sealing, *, now: int) -> None:
    """Seal what the chain comes to; nobody without the master key makes another that looks like it."""
    place, head = await work.audit_chain.head()
    if place == 0 or any(known.place == place for known, _ in await work.audit_chain.anchors()):
        return
    made = Anchor(place=place, hash=head, anchor_time=now)
    tenant = await work.tenants.get()
    seal = sealing.seal(_sealed(made), place=("audit_log", tenant.tenant_id))
    await work.audit_chain.anchor(made, seal)


async def verify(work: UnitOfWork, sealing: Sealing, *, after: int = 0, limit: int = VERIFIED_AT_ONCE) -> Verdict:
    """Go through a tenant's entries behind a place, which was verified before, up to so many.

    Raises:
        InvalidFieldError: nothing is chained at that place.
    """
    links, _ = await work.audit_chain.head()
    head = await _hash_at(work, after) if after else START
    verifier = Verifier(
        links=links,
        anchors=[each for each in await _anchors(work, sealing) if each.place > after],
        erasures=await work.audit_log.erasures(),
        after=after,
        head=head,
    )
    last: int | None = after or None
    left = limit
    while left > 0:
        entries = await work.audit_log.walk(after=last, limit=min(_BATCH, left))
        if not entries or not verifier.see(entries):
            return verifier.end()
        last, left = entries[-1][0].place, left - len(entries)
    return verifier.verdict


async def list_entries(work: UnitOfWork, wanted: EntryQuery, page: PageRequest) -> Page[AuditEntry]:
    """A page of a tenant's entries, newest first.

    Raises:
        InvalidFieldError: no such list handed out this token.
    """

    async def load(after: str, limit: int) -> Sequence[AuditEntry]:
        if after and not (after.isascii() and after.isdecimal()):
            raise InvalidFieldError(field="page_token", expected="a token that this list answered")
        before = int(after) if after else None
        return await work.audit_log.list(replace(wanted, before=before, limit=limit))

    return await page_of(page, load, lambda entry: key_of(entry.place))


async def _hash_at(work: UnitOfWork, place: int) -> str:
    found = await work.audit_log.walk(after=place - 1, limit=1)
    if not found or found[0][0].place != place or found[0][1] is None:
        raise InvalidFieldError(field="after_place", expected="a place that is chained", got=str(place))
    return found[0][1]


async def _anchors(work: UnitOfWork, sealing: Sealing) -> list[Anchor]:
    tenant_id = (await work.tenants.get()).tenant_id
    found = await work.audit_chain.anchors()
    return [replace(each, is_genuine=_is_genuine(each, seal, sealing, tenant_id)) for each, seal in found]


def _is_genuine(anchor: Anchor, seal: str, sealing: Sealing, tenant_id: str) -> bool | None:
    """Whether it says what was sealed; None where this installation has no key to tell."""
    try:
        return sealing.open(seal, place=("audit_log", tenant_id)) == _sealed(anchor)
    except MasterKeyMissingError:
        return None
    except (MasterKeyWrongError, ConflictError):
        return False


def _sealed(anchor: Anchor) -> str:
    return json.dumps([anchor.place, anchor.hash, anchor.anchor_time])
