"""Refunds carried out: a transaction before a gateway is asked, the question outside of any, another one after it."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass, replace

from tallygate.billing.attempts import Moment
from tallygate.billing.crediting import CreateCreditNote
from tallygate.billing.paying import ARRIVES, KEYS_LAST, NO_ANSWER, NOT_THERE, PaymentRunner
from tallygate.billing.ports import NoAnswerError, RefundRequest
from tallygate.billing.refunds import Refunded, begin_refund, look_again_at_refund, retry_refund, settle_refund
from tallygate.domain.billing.payments import UNRESOLVED, AttemptState, Outcome
from tallygate.domain.billing.refunds import Refund, RefundKind
from tallygate.records.payments import RESOLVE_REFUND
from tallygate.records.ports import BillingWork

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundRunner:
    """Gives money back through the gateways of payments. A job that runs twice, or on two workers, gives back once."""

    payments: PaymentRunner

    async def send(self, tenant_id: str, parts: Iterable[Refund]) -> list[Refund]:
        """Give back what was begun in a transaction that is over."""
        return [await self._send(tenant_id, part, None) if part.kind is RefundKind.GATEWAY else part for part in parts]

    async def refund(self, tenant_id: str, wanted: CreateCreditNote) -> Refunded:
        """Credit lines and give back what was paid for them; the same again answers what became of it.

        Raises:
            what `begin_refund` raises.
        """

        async def begin(work: BillingWork, moment: Moment) -> tuple[Refunded, bool]:
            known = bool(wanted.credit_id) and bool(await work.refunds.of_credit(wanted.credit_id))
            return await begin_refund(work, wanted, moment, new_id=self.payments.new_id), known

        begun, known = await self.payments.write(tenant_id, None, begin)
        if known:
            return begun
        return replace(begun, parts=tuple(await self.send(tenant_id, begun.parts)))

    async def resolve(self, tenant_id: str, refund_id: str, *, at: int | None = None) -> bool:
        """Ask what became of a refund; what never arrived is sent once more where that is the same request.

        False where whoever sends it may still be at it.

        Raises:
            NoAnswerError: its gateway cannot say.
        """
        refund = await self.payments.read(tenant_id, lambda work: work.refunds.get(refund_id))
        if refund is None or refund.state not in UNRESOLVED:
            await self.payments.write(tenant_id, at, lambda work, _: work.jobs.done(RESOLVE_REFUND, refund_id))
            return True
        if refund.state is AttemptState.SENDING and refund.sent_until > self.payments.clock():
            return False
        if refund.waits:
            begun = await self.payments.write(tenant_id, at, lambda work, moment: retry_refund(work, refund_id, moment))
            if begun is not None:
                await self._send(tenant_id, begun, at)
            return True
        now = await self.payments.instant(tenant_id, at)
        gateway = await self.payments.open(tenant_id, refund.gateway)
        found = await self.payments.answer(gateway.find(refund_request_of(tenant_id, refund), now=now))
        if found is not None:
            await self._settle(tenant_id, refund, found, at)
        elif now - refund.asked_time < ARRIVES:
            again = refund.asked_time + ARRIVES
            await self.payments.write(
                tenant_id, at, lambda work, _: look_again_at_refund(work, refund_id, due_time=again)
            )
        elif gateway.keeps_keys and now - refund.asked_time < KEYS_LAST:
            await self._send(tenant_id, refund, at)
        else:
            await self._settle(tenant_id, refund, NOT_THERE, at)
        return True

    async def _send(self, tenant_id: str, refund: Refund, at: int | None) -> Refund:
        try:
            gateway = await self.payments.open(tenant_id, refund.gateway)
            outcome = await self.payments.answer(gateway.refund(refund_request_of(tenant_id, refund)))
        except NoAnswerError:
            _log.warning("a gateway did not answer: what became of refund %s is asked", refund.refund_id)
            outcome = NO_ANSWER
        return await self._settle(tenant_id, refund, outcome, at)

    async def _settle(self, tenant_id: str, refund: Refund, outcome: Outcome, at: int | None) -> Refund:
        settled = await self.payments.write(
            tenant_id, at, lambda work, moment: settle_refund(work, refund.refund_id, outcome, moment)
        )
        return settled or refund


def refund_request_of(tenant_id: str, refund: Refund) -> RefundRequest:
    """What a gateway is asked to give back: of the same refund always the same."""
    return RefundRequest(
        tenant_id=tenant_id,
        key=refund.key,
        refund_id=refund.key,
        account_id=refund.account_id,
        payment_id=refund.payment_id,
        charge_id=refund.charge_id,
        currency=refund.currency,
        amount=refund.amount,
        text=refund.text,
        time=refund.asked_time,
    )
