"""What gateways tell by themselves: an event is kept and has its effect in one transaction, and both only once.

What they tell comes twice, late and in any order: states only move on by rank, and whatever does not fit what is known
is not believed but asked for.
"""

import asyncio
import hashlib
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from tallygate.billing.attempts import Moment, settle_known
from tallygate.billing.disputes import note_dispute
from tallygate.billing.gateways import Gateways
from tallygate.billing.ports import Gateway, NoAnswerError, UnverifiedEventError
from tallygate.billing.refunds import settle_refund
from tallygate.domain.billing.gateway_events import ChargeNews, DisputeNews, GatewayEvent, RefundNews
from tallygate.domain.billing.payments import UNRESOLVED, Attempt, AttemptState, Outcome
from tallygate.domain.billing.refunds import Refund, rank_of, refund_of
from tallygate.domain.errors import TenantNotFoundError
from tallygate.domain.fields import is_id
from tallygate.records.gateway_events import Effect, EventQuery, ToldEvent
from tallygate.records.paging import Page, PageRequest, key_of, newest_of
from tallygate.records.payments import RESOLVE, RESOLVE_REFUND
from tallygate.records.ports import BillingWork
from tallygate.records.transactions import Transactions

_ANSWER_SECONDS = 10.0
_log = logging.getLogger(__name__)


class EventTooEarlyError(Exception):
    """What an event is about may become known yet: it is to be told again later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRunner:
    """Hears what gateways tell; `clock` is real time."""

    transactions: Transactions
    gateways: Gateways
    clock: Callable[[], int]

    async def hear(self, tenant_id: str, name: str, raw: bytes, headers: Mapping[str, str]) -> Effect:
        """Take an event in as it came: the very bytes, and headers by their names in lower case.

        When it answers, the event is kept; told again, it changes nothing.

        Raises:
            UnverifiedEventError: it is not from a gateway that the tenant uses, or too old.
            EventTooEarlyError: it is to be told again later.
            NoAnswerError: nobody can say now whether it is the gateway's.
            MasterKeyMissingError, MasterKeyWrongError: what it is verified with cannot be opened.
        """
        gateway = await self._gateway(tenant_id, name)
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                event = await gateway.read_event(raw, headers, tenant_id=tenant_id, now=self.clock())
        except TimeoutError as error:
            raise NoAnswerError from error
        if not is_id(event.event_id):
            raise UnverifiedEventError
        now = self.clock()
        known = await self.transactions.read(
            tenant_id, lambda work, _: work.gateway_events.is_known(name, event.event_id), now=now
        )
        if known:
            return Effect.REPEATED
        digest = hashlib.sha256(raw).hexdigest()
        written = await self.transactions.write(
            tenant_id,
            lambda work, moment: take_event(work, name, event, digest, Moment(now=moment, real=now)),
            now=now,
        )
        if written.value is Effect.ASKED:
            _log.warning("event %s of gateway %s does not fit the books: it is asked", event.event_id, name)
        return written.value

    async def _gateway(self, tenant_id: str, name: str) -> Gateway:
        if not is_id(tenant_id) or name not in self.gateways.adapters:
            raise UnverifiedEventError
        try:
            used = await self.transactions.read(tenant_id, lambda work, _: work.payments.gateways(), now=self.clock())
        except TenantNotFoundError as error:
            raise UnverifiedEventError from error
        found = next((gateway for gateway in used if gateway.name == name), None)
        if found is None:
            raise UnverifiedEventError
        return self.gateways.open(tenant_id, found)


async def take_event(work: BillingWork, gateway: str, event: GatewayEvent, digest: str, moment: Moment) -> Effect:
    """Keep an event of a gateway, and do what follows from it.

    Raises:
        EventTooEarlyError: what it is about may become known yet.
    """
    if await work.gateway_events.is_known(gateway, event.event_id):
        return Effect.REPEATED
    subject, (effect, problem) = await _done(work, gateway, event, moment)
    told = ToldEvent(
        gateway=gateway,
        event_id=event.event_id,
        kind=event.kind,
        subject=subject,
        effect=effect,
        problem=problem,
        digest=digest,
        time=event.time,
        create_time=moment.now,
    )
    await work.gateway_events.add(told)
    return effect


async def list_events(work: BillingWork, wanted: EventQuery, page: PageRequest) -> Page[ToldEvent]:
    """What gateways told, newest first."""
    return await newest_of(
        page,
        lambda before, limit: work.gateway_events.list(replace(wanted, limit=limit, before=before)),
        lambda event: (event.create_time, key_of(event.gateway, event.event_id)),
    )


_Followed = tuple[Effect, str]
"""What followed, and what does not fit the books."""


async def _done(work: BillingWork, gateway: str, event: GatewayEvent, moment: Moment) -> tuple[str, _Followed]:
    match event.news:
        case ChargeNews():
            return event.news.attempt_id, await _charge(work, gateway, event.news, moment)
        case DisputeNews():
            return event.news.dispute_id, await _dispute(work, gateway, event.news, moment)
        case RefundNews():
            return refund_of(event.news.refund_id), await _refund(work, gateway, event.news, moment)
        case None:
            return "", (Effect.FOREIGN, "")


async def _charge(work: BillingWork, gateway: str, news: ChargeNews, moment: Moment) -> _Followed:
    attempt = await work.payments.attempt(news.attempt_id) if news.attempt_id else None
    if attempt is None or attempt.gateway != gateway:
        return Effect.FOREIGN, ""
    if news.outcome.state is attempt.state and attempt.state not in UNRESOLVED:
        return Effect.OLD, ""
    problem = _misfit(attempt, news, charges=(attempt.gateway_id, news.outcome.gateway_id))
    if problem:
        if attempt.state in UNRESOLVED:
            await work.jobs.hasten(RESOLVE, attempt.attempt_id, due_time=moment.now)
        return Effect.ASKED, problem
    if news.outcome.state.rank < attempt.state.rank or _is_known(attempt, news.outcome):
        return Effect.OLD, ""
    await settle_known(work, attempt, news.outcome, moment)
    return Effect.APPLIED, ""


def _is_known(attempt: Attempt, outcome: Outcome) -> bool:
    """Whether it waits as it did: told again, that puts off no look at what became of it, and forgets no way to pay."""
    return outcome.state is attempt.state and outcome.next_action_url in ("", attempt.next_action_url)


def _misfit(known: Attempt | Refund, news: ChargeNews | RefundNews, *, charges: tuple[str, str]) -> str:
    """What of news is not as it was asked for; `charges`: the gateway's ids of the charge, as known and as told."""
    wrong = {
        "currency": known.currency != news.currency,
        "amount": known.amount != news.amount,
        "charge": all(charges) and charges[0] != charges[1],
        "state": news.outcome.state is AttemptState.UNKNOWN,
    }
    named = ", ".join(name for name, differs in wrong.items() if differs)
    return f"not as asked for: {named}" if named else ""


async def _dispute(work: BillingWork, gateway: str, news: DisputeNews, moment: Moment) -> _Followed:
    if await note_dispute(work, gateway, news, now=moment.now) is not None:
        return Effect.APPLIED, ""
    if await work.payments.awaits(gateway):
        raise EventTooEarlyError
    return Effect.FOREIGN, ""


async def _refund(work: BillingWork, gateway: str, news: RefundNews, moment: Moment) -> _Followed:
    refund = await work.refunds.get(refund_of(news.refund_id)) if news.refund_id else None
    if refund is None or refund.gateway != gateway:
        return Effect.FOREIGN, ""
    if refund.key != news.refund_id:  # of a try before, which is over
        return Effect.OLD, ""
    told = news.outcome.state
    problem = _misfit(refund, news, charges=(refund.charge_id, news.charge_id))
    if problem:
        if refund.state in UNRESOLVED:
            await work.jobs.hasten(RESOLVE_REFUND, refund.refund_id, due_time=moment.now)
        return Effect.ASKED, problem
    if rank_of(told) < rank_of(refund.state) or told is refund.state:
        return Effect.OLD, ""
    await settle_refund(work, refund.refund_id, news.outcome, moment)
    return Effect.APPLIED, ""
