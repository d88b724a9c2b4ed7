"""What a gateway settled beside what the books have of it, one by one: equal sets have no difference.

Compared are charges that were begun in a time, and what went back of them since, by refund or dispute.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from tallygate.billing.paying import PaymentRunner
from tallygate.billing.ports import NoAnswerError
from tallygate.billing.settlements import Settlement, SettlementKind
from tallygate.domain.billing.disputes import Dispute
from tallygate.domain.billing.gateway_events import DisputeState
from tallygate.domain.billing.payments import Attempt, AttemptState
from tallygate.domain.billing.refunds import Refund, RefundKind
from tallygate.domain.payment_errors import GatewayUnavailableError
from tallygate.records.paging import key_of
from tallygate.records.payments import MoneyQuery
from tallygate.records.ports import BillingWork

_AT_ONCE = 500
T = TypeVar("T", Attempt, Refund, Dispute)


@dataclass(frozen=True, slots=True, kw_only=True)
class SettlementDifference:
    """What both sides do not have alike, in minor units; 0 where one does not have it.

    Fees are compared of disputes, where the gateway says what it kept: the books have no others.
    """

    kind: SettlementKind
    gateway_id: str
    currency: str
    booked: int
    settled: int
    booked_fee: int = 0
    settled_fee: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciled:
    """How many of them the books have, how many the gateway, and where they differ.

    `fees` is what the gateway kept for charges, by currency, as far as it says so.
    """

    booked: int
    settled: int
    differences: tuple[SettlementDifference, ...]
    fees: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciler:
    """Asks gateways what they settled."""

    payments: PaymentRunner

    async def reconcile(self, tenant_id: str, gateway: str, *, start: int, end: int | None = None) -> Reconciled:
        """Compare what a gateway took from an instant on, before another (now), with what the books have of it.

        Raises:
            GatewayMissingError: there is no such gateway.
            GatewayUnavailableError: it does not answer.
        """
        adapter = await self.payments.open(tenant_id, gateway)
        now = await self.payments.instant(tenant_id, None) + 1
        until = now if end is None else end
        try:
            settled = await self.payments.answer(adapter.settled(tenant_id, start=start, end=until, now=now))
        except NoAnswerError as error:
            raise GatewayUnavailableError(gateway=gateway) from error
        kinds = adapter.settles
        known = await self.payments.read(tenant_id, lambda work: booked(work, gateway, kinds, start=start, end=until))
        return reconciled(known, settled)


async def booked(
    work: BillingWork, gateway: str, kinds: Collection[SettlementKind], *, start: int, end: int
) -> list[Settlement]:
    """Charges through a gateway that the books have as paid, begun in a time, and what went back of them by now."""
    attempts = [
        one
        async for one in _since(start, work.payments.attempts, lambda one: one.attempt_id)
        if one.gateway == gateway and one.state is AttemptState.SUCCEEDED and one.create_time < end
    ]
    found = [_charge(one) for one in attempts]
    charges = {one.attempt_id: one.gateway_id for one in attempts}
    if SettlementKind.REFUND in kinds:
        refunds = _since(start, work.refunds.list, lambda one: one.refund_id)
        found += [_refund(one) async for one in refunds if _came_back(one) and one.payment_id in charges]
    if SettlementKind.DISPUTE in kinds:
        disputes = _since(start, work.disputes.list, lambda one: key_of(one.gateway, one.dispute_id))
        found += [_dispute(one, charges[one.payment_id]) async for one in disputes if one.payment_id in charges]
    return found


def reconciled(known: Sequence[Settlement], settled: Sequence[Settlement]) -> Reconciled:
    """All that differs, by kind, its gateway's id and currency; what went back of other charges is not looked at."""
    charges = {one.gateway_id for one in (*known, *settled) if one.kind is SettlementKind.CHARGE}
    ours = _by_id(known)
    theirs = _by_id(one for one in settled if one.kind is SettlementKind.CHARGE or one.charge_id in charges)
    pairs = ((key, ours.get(key), theirs.get(key)) for key in sorted({*ours, *theirs}))
    differences = (_difference(key, our, their) for key, our, their in pairs)
    return Reconciled(
        booked=len(ours),
        settled=len(theirs),
        differences=tuple(one for one in differences if one is not None),
        fees=_fees(theirs.values()),
    )


_Key = tuple[SettlementKind, str, str]


def _difference(key: _Key, our: Settlement | None, their: Settlement | None) -> SettlementDifference | None:
    kind, gateway_id, currency = key
    of = our.amount if our is not None else 0, their.amount if their is not None else 0
    fees = our.fee if our is not None else 0, their.fee if their is not None else 0
    compared = kind is SettlementKind.DISPUTE and None not in fees
    booked_fee, settled_fee = (fees[0] or 0, fees[1] or 0) if compared else (0, 0)
    if of[0] == of[1] and booked_fee == settled_fee:
        return None
    return SettlementDifference(
        kind=kind,
        gateway_id=gateway_id,
        currency=currency,
        booked=of[0],
        settled=of[1],
        booked_fee=booked_fee,
        settled_fee=settled_fee,
    )


def _by_id(found: Iterable[Settlement]) -> dict[_Key, Settlement]:
    return {(one.kind, one.gateway_id, one.currency): one for one in found}


def _fees(settled: Iterable[Settlement]) -> tuple[tuple[str, int], ...]:
    sums: dict[str, int] = {}
    for one in settled:
        if one.kind is SettlementKind.CHARGE and one.fee is not None:
            sums[one.currency] = sums.get(one.currency, 0) + one.fee
    return tuple(sorted(sums.items()))


async def _since(
    start: int, load: Callable[[MoneyQuery], Awaitable[Sequence[T]]], name: Callable[[T], str]
) -> AsyncIterator[T]:
    """What a list has from an instant on, newest first."""
    before: tuple[int, str] | None = None
    while page := await load(MoneyQuery(limit=_AT_ONCE, before=before)):
        for one in page:
            if one.create_time < start:
                return
            yield one
        before = page[-1].create_time, name(page[-1])


def _came_back(refund: Refund) -> bool:
    return refund.kind is RefundKind.GATEWAY and refund.state is AttemptState.SUCCEEDED


def _charge(attempt: Attempt) -> Settlement:
    return Settlement(gateway_id=attempt.gateway_id, currency=attempt.currency, amount=attempt.amount)


def _refund(refund: Refund) -> Settlement:
    return Settlement(
        kind=SettlementKind.REFUND,
        gateway_id=refund.gateway_id,
        currency=refund.currency,
        amount=refund.amount,
        charge_id=refund.charge_id,
    )


def _dispute(dispute: Dispute, charge_id: str) -> Settlement:
    return Settlement(
        kind=SettlementKind.DISPUTE,
        gateway_id=dispute.dispute_id,
        currency=dispute.currency,
        amount=0 if dispute.state is DisputeState.WON else dispute.amount,
        charge_id=charge_id,
        fee=dispute.fee,
    )
