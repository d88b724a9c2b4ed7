"""An account's books as they were known when a document was made of them."""

from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import groupby

from tallygate.billing.books import Books, read_books
from tallygate.billing.ports import Sources
from tallygate.domain.billing.adjusting import IssuedLine
from tallygate.domain.billing.counting import BillableFact
from tallygate.domain.billing.default_plans import default_timelines
from tallygate.domain.billing.documents import Basis, Invoice
from tallygate.domain.billing.fees import Fee
from tallygate.domain.billing.late import LateFact
from tallygate.domain.billing.lines import Line, LineKind
from tallygate.domain.billing.rating import Billed
from tallygate.domain.billing.tax import Credited
from tallygate.domain.billing.timeline import PriceOverride, QuantityChange, Timeline
from tallygate.domain.billing.windows import UsageWindow
from tallygate.records.billing import Forgiven, IssuedLines
from tallygate.records.late_usage import UsageLog
from tallygate.records.ports import BillingWork
from tallygate.records.values import StoredSubscription

_CHANGES_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """Books, and what else was to be seen then."""

    books: Books
    sources: Sources


async def past_of(work: BillingWork, invoice: Invoice, basis: Basis, *, now: int) -> Past | None:
    """What a document was made of; None where its tenant does not bill.

    Raises:
        AccountNotFoundError: its account is not there any more.
    """
    books = await read_books(work, invoice.account_id, now=now)
    if books is None:
        return None
    after = await work.issued_lines.from_document(invoice.account_id, basis.documents)
    policy = replace(books.policy, late_periods=basis.late_periods)
    if invoice.policy is not None:
        rounding = replace(policy.rounding, amounts=invoice.policy.rounding)
        policy = replace(policy, proration=invoice.policy.proration, rounding=rounding)
    then = replace(
        books,
        policy=policy,
        closed_until=basis.since,
        tax=basis.tax,
        void={
            each.invoice_id: each.line_keys
            for each in await work.issued_lines.forgiven(invoice.account_id)
            if each.invoice_id in basis.forgiven
        },
        redemptions=tuple(
            replace(each, uses=basis.redemptions[each.redemption_id])
            for each in books.redemptions
            if each.redemption_id in basis.redemptions
        ),
        fees=tuple([fee async for fee in _fees(work, books, invoice, basis.until)]),
        late=tuple(LateFact(sequence=0, feature_key=feature, occurred_time=basis.since - 1) for feature in basis.late),
    )
    held = await _held(work, invoice.account_id, basis.changes)
    sources = _Sources(
        tenant_id=work.tenant_id,
        issued_lines=_LinesBefore(lines=work.issued_lines, after=after),
        usage_log=_LogThrough(log=work.usage_log, through=basis.through),
    )
    return Past(books=then.changed(_timelines(books, held, basis)), sources=sources)


async def _held(work: BillingWork, account_id: str, changes: int) -> list[StoredSubscription]:
    """An account's subscriptions after so many of their changes, oldest first."""
    found: dict[str, StoredSubscription] = {}
    before = changes + 1
    while before > 1:
        page = await work.subscription_history.list(account_id, before=before, limit=_CHANGES_AT_ONCE)
        for change in page:
            found.setdefault(change.subscription_id, change.after)
        before = page[-1].sequence if page else 0
    return sorted(found.values(), key=lambda held: (held.create_time, held.subscription.subscription_id))


def _timelines(books: Books, held: Sequence[StoredSubscription], basis: Basis) -> Iterator[Timeline]:
    known = books.timelines[0] if books.timelines else None
    quantities = tuple(_quantities(known.quantities, basis)) if known else ()
    overrides = tuple(_overrides(known.overrides, basis)) if known else ()
    for one in held:
        yield Timeline(
            subscription=one.subscription,
            catalog=books.catalog,
            cancel_time=one.cancel_time,
            quantities=quantities,
            overrides=overrides,
        )
    yield from default_timelines(
        books.account_id,
        books.catalog,
        [one.subscription for one in held],
        create_time=books.calendar.account_create_time,
        quantities=quantities,
        overrides=overrides,
    )


def _quantities(known: Sequence[QuantityChange], basis: Basis) -> Iterator[QuantityChange]:
    for source, changes in groupby(known, lambda change: change.source):
        yield from list(changes)[: basis.quantities.get(source, 0)]


def _overrides(known: Sequence[PriceOverride], basis: Basis) -> Iterator[PriceOverride]:
    for override in known:
        if override.override_id in basis.overrides:
            yield replace(override, end_time=basis.overrides[override.override_id])


async def _fees(work: BillingWork, books: Books, invoice: Invoice, until: int) -> AsyncIterator[Fee]:
    """The fees that its lines name, as they were asked for, and those that no document charges."""
    for line in invoice.lines:
        fee = await work.fees.get(line.line_key.removeprefix("fee/")) if line.kind is LineKind.FEE else None
        if fee is not None and fee.account_id == invoice.account_id:
            yield fee
    for fee in books.fees:
        if fee.create_time < until:
            yield fee


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sources:
    tenant_id: str
    issued_lines: IssuedLines
    usage_log: UsageLog


@dataclass(frozen=True, slots=True, kw_only=True)
class _LinesBefore:
    """What was charged before a document; `after` is what it and later ones charged, by key."""

    lines: IssuedLines
    after: Mapping[str, Fraction]

    async def since(self, account_id: str, *, since: int) -> Sequence[IssuedLine]:
        return [one for one in await self.lines.since(account_id, since=since) if one.line_key not in self.after]

    async def whole(self, line_keys: Collection[str]) -> dict[str, Line]:
        return await self.lines.whole(line_keys)

    async def place(self, line_key: str) -> tuple[str, int] | None:
        return await self.lines.place(line_key)

    async def usage(self, lines: Collection[str]) -> dict[str, Billed]:
        found = await self.lines.usage(lines)
        for line_key, exact in self.after.items():
            window = line_key.rpartition("/")[0]
            if window in found:
                billed = found[window]
                found[window] = Billed(exact=billed.exact - exact, revisions=billed.revisions - 1)
        return found

    async def credited(self, line_keys: Collection[str]) -> dict[str, Credited]:
        known = await self.lines.credited([key for key in line_keys if key not in self.after])
        return {
            key: replace(
                one,
                credits=self._before(one.credits),
                reductions=self._before(one.reductions),
                reissues=self._before(one.reissues),
            )
            for key, one in known.items()
        }

    def _before(self, lines: tuple[Line, ...]) -> tuple[Line, ...]:
        return tuple(line for line in lines if line.line_key not in self.after)

    async def from_document(self, account_id: str, documents: int) -> dict[str, Fraction]:
        return await self.lines.from_document(account_id, documents)

    async def forgiven(self, account_id: str) -> Sequence[Forgiven]:
        return await self.lines.forgiven(account_id)

    async def torn(self, invoice_id: str) -> dict[int, str]:
        return await self.lines.torn(invoice_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class _LogThrough:
    """The log as far as it went."""

    log: UsageLog
    through: int

    def facts(
        self, account_id: str, window: UsageWindow, *, through: int, after: tuple[int, str] | None = None
    ) -> AsyncIterator[BillableFact]:
        return self.log.facts(account_id, window, through=through, after=after)

    async def level_before(self, account_id: str, window: UsageWindow, *, through: int) -> int:
        return await self.log.level_before(account_id, window, through=through)

    async def head(self) -> int:
        return self.through
