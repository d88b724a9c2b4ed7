"""Messages delivered by mail: a transaction before a server is asked, the letter outside of any, another one after it.

A delivery says until when somebody is at it, so that of many workers one sends. Who dies in between leaves it open
whether it was taken: then the same letter goes once more, under the same name.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol, TypeVar

from tallygate.billing.telling import Told, told_of
from tallygate.domain.billing.documents import Invoice
from tallygate.domain.billing.mail import Letter, Mail, usable_address
from tallygate.domain.billing.messages import Channel, Delivery, DeliveryState, Message
from tallygate.domain.billing.parties import Party
from tallygate.records.jobs import Job
from tallygate.records.messages import DISPATCH
from tallygate.records.ports import BillingWork
from tallygate.records.transactions import Transactions

_SECOND = 1_000_000
_AT_IT = 120 * _SECOND
"""How long (real time) who sends may take until others do; a mailer's own deadline ends sooner."""
_FIRST_RETRY, _LAST_RETRY = 10 * _SECOND, 3_600 * _SECOND
_MOST_DOUBLINGS = 10
_MOST_ATTEMPTS = 60
"""The later ones an hour apart: over two days."""
_AT_ONCE = 8
_OPEN = (DeliveryState.WAITING, DeliveryState.SENDING)
_log = logging.getLogger(__name__)
T = TypeVar("T")

Compose = Callable[[Message, Invoice | None, str, str], Letter]
"""What is written of a message, with its document, the seller's name and the reader's locale (empty: not known)."""


class MailRefusedError(Exception):
    """A letter was refused for good."""


class MailUnavailableError(Exception):
    """A letter could not be handed over now."""


class Mailer(Protocol):
    """Hands letters over."""

    async def send(self, mail: Mail) -> None:
        """Hand one over, or not, within its deadline.

        Raises:
            MailRefusedError: it is refused for good.
            MailUnavailableError: not now; whether it was taken may not be known.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _Prepared:
    """A letter before it is written."""

    told: Told
    address: str
    buyer: Party
    seller: Party | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispatcher:
    """Runs jobs of dispatch; `clock` is real time. Without a mailer what waits is passed over, and says so."""

    transactions: Transactions
    mailer: Mailer | None
    compose: Compose
    clock: Callable[[], int]
    to_test_tenants: bool = False
    _room: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_AT_ONCE))

    async def handle(self, jobs: Sequence[Job]) -> None:
        """A worker's jobs, of one tenant: each message by itself, some at once."""
        for ended in await asyncio.gather(*map(self._deliver, jobs), return_exceptions=True):
            if isinstance(ended, BaseException):
                raise ended

    async def _deliver(self, job: Job) -> None:
        async with self._room:
            prepared = await self._write(job, lambda work: self._begin(work, job.subject))
            if prepared is None or self.mailer is None:
                return
            mail = await asyncio.to_thread(self._mail, job.tenant_id, prepared)  # a long document takes its time
            state, problem = DeliveryState.SENT, ""
            try:
                await self.mailer.send(mail)
            except MailRefusedError as error:
                _log.warning("the mail of %s was refused: %s", job.subject, error)
                state, problem = DeliveryState.FAILED, str(error)
            except MailUnavailableError as error:
                _log.warning("the mail of %s is tried again: %s", job.subject, error)
                state, problem = DeliveryState.WAITING, str(error)
            await self._write(job, lambda work: self._end(work, job.subject, state, problem))

    async def _begin(self, work: BillingWork, message_id: str) -> _Prepared | None:
        """Note that we are at it; None where there is nothing to send, or somebody else is."""
        delivery = await _delivery(work, message_id)
        if delivery is None or delivery.state not in _OPEN:
            await work.jobs.done(DISPATCH, message_id)
            return None
        real = self.clock()
        if delivery.state is DeliveryState.SENDING and delivery.sent_until > real:
            await work.jobs.schedule(DISPATCH, message_id, due_time=work.now, retry_time=delivery.sent_until)
            return None
        prepared = await self._prepared(work, message_id)
        if isinstance(prepared, str):
            skipped = replace(delivery, state=DeliveryState.SKIPPED, problem=prepared, update_time=work.now)
            await work.messages.put_delivery(skipped)
            await work.jobs.done(DISPATCH, message_id)
            return None
        sending = replace(
            delivery,
            state=DeliveryState.SENDING,
            attempts=delivery.attempts + 1,
            sent_until=real + _AT_IT,
            update_time=work.now,
        )
        await work.messages.put_delivery(sending)
        await work.jobs.schedule(DISPATCH, message_id, due_time=work.now, retry_time=sending.sent_until)
        return prepared

    async def _end(self, work: BillingWork, message_id: str, state: DeliveryState, problem: str) -> None:
        """Note what became of it, and when to try again what was not taken."""
        delivery = await _delivery(work, message_id)
        if delivery is None or delivery.state not in _OPEN:
            return
        if state is DeliveryState.WAITING and delivery.attempts >= _MOST_ATTEMPTS:
            state, problem = DeliveryState.FAILED, f"given up after {delivery.attempts} attempts: {problem}"
        ended = replace(delivery, state=state, problem=problem, sent_until=0, update_time=work.now)
        await work.messages.put_delivery(ended)
        if state is DeliveryState.WAITING:
            wait = min(_FIRST_RETRY * 2 ** min(delivery.attempts - 1, _MOST_DOUBLINGS), _LAST_RETRY)
            await work.jobs.schedule(DISPATCH, message_id, due_time=work.now, retry_time=self.clock() + wait)
        else:
            await work.jobs.done(DISPATCH, message_id)

    async def _prepared(self, work: BillingWork, message_id: str) -> _Prepared | str:
        """What is to be written and to whom, or why nothing is."""
        if self.mailer is None:
            return "mail.address is not set"
        if (await work.tenants.get()).test and not self.to_test_tenants:
            return "mail.test_tenants is off"
        told = await told_of(work, message_id)
        if told is None:
            return "there is no such message"
        profile, seller = await work.profiles.get(told.message.account_id), await work.profiles.get("")
        printed = told.invoice.buyer if told.invoice is not None else None
        buyer = profile.party if profile is not None else printed
        address = usable_address(buyer.email) if buyer is not None else ""
        if buyer is None or not address:
            return "the account's billing profile has no usable e-mail address"
        return _Prepared(told=told, address=address, buyer=buyer, seller=seller.party if seller is not None else None)

    def _mail(self, tenant_id: str, prepared: _Prepared) -> Mail:
        message, seller = prepared.told.message, prepared.seller
        name = seller.name if seller is not None else ""
        return Mail(
            identity=f"{tenant_id}/{message.message_id}",
            to_address=prepared.address,
            to_name=prepared.buyer.name,
            from_name=name,
            reply_to=seller.email if seller is not None else "",
            letter=self.compose(message, prepared.told.invoice, name, prepared.buyer.locale),
            time=message.create_time,
        )

    async def _write(self, job: Job, use_case: Callable[[BillingWork], Awaitable[T]]) -> T:
        written = await self.transactions.write(job.tenant_id, lambda work, _: use_case(work), now=self.clock())
        return written.value


async def _delivery(work: BillingWork, message_id: str) -> Delivery | None:
    found = (await work.messages.deliveries([message_id]))[message_id]
    return next((one for one in found if one.channel.value == Channel.MAIL.value), None)
