"""What a gateway settled beside what the books have of it, charge by charge: equal sets have no difference."""

from collections.abc import Sequence
from dataclasses import dataclass

from tallygate.billing.paying import PaymentRunner
from tallygate.billing.ports import NoAnswerError, Settlement
from tallygate.domain.billing.payments import Attempt, AttemptState
from tallygate.domain.payment_errors import GatewayUnavailableError
from tallygate.records.payments import MoneyQuery
from tallygate.records.ports import BillingWork

_AT_ONCE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class SettlementDifference:
    """A charge that both sides do not have alike, in minor units; 0 where one does not have it."""

    gateway_id: str
    currency: str
    booked: int
    settled: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciled:
    """How many charges the books have, how many the gateway, and where they differ."""

    booked: int
    settled: int
    differences: tuple[SettlementDifference, ...]


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
        until = await self.payments.instant(tenant_id, None) + 1 if end is None else end
        try:
            settled = await self.payments.answer(adapter.settled(tenant_id, start=start, end=until))
        except NoAnswerError as error:
            raise GatewayUnavailableError(gateway=gateway) from error
        attempts = await self.payments.read(tenant_id, lambda work: booked(work, gateway, start=start, end=until))
        return reconciled(attempts, settled)


async def booked(work: BillingWork, gateway: str, *, start: int, end: int) -> list[Attempt]:
    """Attempts through a gateway that the books have as paid, begun from an instant on, before another."""
    found: list[Attempt] = []
    before: tuple[int, str] | None = (end, "")
    while page := await work.payments.attempts(MoneyQuery(limit=_AT_ONCE, before=before)):
        found += [one for one in page if _is_booked(one, gateway, start)]
        if page[-1].create_time < start:
            break
        before = page[-1].create_time, page[-1].attempt_id
    return found


def reconciled(attempts: Sequence[Attempt], settled: Sequence[Settlement]) -> Reconciled:
    """Every charge that differs, by its gateway's id and currency."""
    ours = {(one.gateway_id, one.currency): one.amount for one in attempts}
    theirs = {(one.gateway_id, one.currency): one.amount for one in settled}
    differences = tuple(
        SettlementDifference(gateway_id=key[0], currency=key[1], booked=ours.get(key, 0), settled=theirs.get(key, 0))
        for key in sorted({*ours, *theirs})
        if ours.get(key, 0) != theirs.get(key, 0)
    )
    return Reconciled(booked=len(ours), settled=len(theirs), differences=differences)


def _is_booked(attempt: Attempt, gateway: str, start: int) -> bool:
    return attempt.gateway == gateway and attempt.state is AttemptState.SUCCEEDED and attempt.create_time >= start
