"""Attempts carried out: a transaction before a gateway is asked, the question outside of any, another one after it."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import TypeVar

from tallygate.billing.attempts import (
    Moment,
    is_top_up,
    look_again,
    manual_attempt,
    next_attempt,
    request_of,
    settle,
    settle_and_look,
    top_up_attempt,
)
from tallygate.billing.dunning_runs import EndSubscription
from tallygate.billing.gateways import Gateways
from tallygate.billing.invoices import get_invoice
from tallygate.billing.methods import default_method
from tallygate.billing.ports import Card, ChargeRequest, Gateway, NoAnswerError, Setup, SetupRequest
from tallygate.domain.billing.amounts import check_amount
from tallygate.domain.billing.messages import NEVER_ARRIVED
from tallygate.domain.billing.payments import UNRESOLVED, Attempt, AttemptState, Method, Outcome
from tallygate.domain.errors import ConflictError
from tallygate.domain.fields import checked_id
from tallygate.domain.payment_errors import (
    GatewayMissingError,
    GatewayUnavailableError,
    MethodMissingError,
    MethodNotFoundError,
)
from tallygate.records.lookup import known_account
from tallygate.records.payments import RESOLVE
from tallygate.records.ports import BillingWork, NewId
from tallygate.records.transactions import Transactions

_SECOND = 1_000_000
_ANSWER_SECONDS = 20.0
ARRIVES = 120 * _SECOND
"""How long a request may be on its way: what a gateway cannot find later never arrived."""
KEYS_LAST = 23 * 3_600 * _SECOND
NO_ANSWER = Outcome(state=AttemptState.UNKNOWN, reason="no_answer")
NOT_THERE = Outcome(state=AttemptState.FAILED, reason=NEVER_ARRIVED, arrived=False)
T = TypeVar("T")
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class TopUp:
    """Money to take for a wallet, in minor units; without a `method_id` by the account's default."""

    account_id: str
    currency: str
    amount: int
    attempt_id: str = ""
    method_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentRunner:
    """Runs jobs of payments; `clock` is real time. A job that runs twice, or on two workers, charges once."""

    transactions: Transactions
    gateways: Gateways
    end: EndSubscription
    clock: Callable[[], int]
    new_id: NewId

    async def collect_account(self, tenant_id: str, account_id: str, *, at: int | None = None) -> None:
        """Try to be paid what an account owes by now, one attempt after the other; `at` is a test tenant's instant."""
        while await self._collect_one(tenant_id, account_id, at):
            pass

    async def resolve_attempt(self, tenant_id: str, attempt_id: str, *, at: int | None = None) -> bool:
        """Ask what became of an attempt; what never arrived is sent once more where that is the same request.

        False where whoever sends it may still be at it.

        Raises:
            NoAnswerError: its gateway cannot say.
        """
        attempt = await self.read(tenant_id, lambda work: work.payments.attempt(attempt_id))
        if attempt is None or attempt.state not in UNRESOLVED:
            await self.write(tenant_id, at, lambda work, _: work.jobs.done(RESOLVE, attempt_id))
            return True
        if attempt.state is AttemptState.SENDING and attempt.sent_until > self.clock():
            return False
        now = await self.instant(tenant_id, at)
        gateway = await self.open(tenant_id, attempt.gateway)
        found = await self.answer(gateway.find(self._asked(tenant_id, attempt), now=now))
        if found is not None:
            await self._settle(tenant_id, attempt, found, at)
        elif now - attempt.create_time < ARRIVES:
            again = attempt.create_time + ARRIVES
            await self.write(tenant_id, at, lambda work, _: look_again(work, attempt_id, due_time=again))
        elif await self._may_be_sent_again(tenant_id, attempt, now):
            await self._send(tenant_id, attempt, at)
        else:
            await self._settle(tenant_id, attempt, NOT_THERE, at)
        return True

    async def pay(self, tenant_id: str, invoice_id: str, *, attempt_id: str = "", method_id: str = "") -> Attempt:
        """Charge what is due of an invoice now; the same attempt again answers what became of it.

        Raises:
            InvoiceNotFoundError: there is no such invoice.
            NothingDueError: nothing of it is due.
            MethodMissingError: its account has no method.
            MethodNotFoundError: it has no such method.
            PaymentInFlightError: another attempt may still take money for it.
            ConflictError: another invoice's attempt has this id.
        """
        attempt_id = checked_id("attempt_id", attempt_id or f"pay_{self.new_id()}")

        async def begin(work: BillingWork, moment: Moment) -> tuple[Attempt, bool]:
            invoice = await get_invoice(work, invoice_id)
            known = await work.payments.attempt(attempt_id)
            if known is not None:
                if known.invoice_id != invoice.invoice_id:
                    raise ConflictError(attempt_id=attempt_id)
                return known, False
            method = await _method(work, invoice.account_id, method_id)
            self.gateways.adapter(method.gateway)
            self.gateways.token(tenant_id, method.gateway, method.token)
            return await manual_attempt(work, invoice, method, moment, attempt_id=attempt_id), True

        attempt, new = await self.write(tenant_id, None, begin)
        return await self._send(tenant_id, attempt, None) if new else attempt

    async def top_up(self, tenant_id: str, wanted: TopUp) -> Attempt:
        """Take money for an account's wallet; the same attempt again answers what became of it.

        Raises:
            InvalidFieldError: it is no amount above 0.
            AccountNotFoundError: there is no such account.
            MethodMissingError: it has no method.
            MethodNotFoundError: it has no such method.
            PaymentInFlightError: another attempt may still take money of it.
            ConflictError: another attempt has this id.
        """
        attempt_id = checked_id("attempt_id", wanted.attempt_id or f"pay_{self.new_id()}")

        async def begin(work: BillingWork, moment: Moment) -> tuple[Attempt, bool]:
            known = await work.payments.attempt(attempt_id)
            if known is not None:
                same = known.account_id, known.currency, known.amount
                if not is_top_up(known) or same != (wanted.account_id, wanted.currency, wanted.amount):
                    raise ConflictError(attempt_id=attempt_id)
                return known, False
            await known_account(work, wanted.account_id)
            method = await _method(work, wanted.account_id, wanted.method_id)
            self.gateways.adapter(method.gateway)
            self.gateways.token(tenant_id, method.gateway, method.token)
            begun = await top_up_attempt(work, method, wanted.currency, wanted.amount, moment, attempt_id=attempt_id)
            return begun, True

        check_amount(wanted.amount, wanted.currency)
        attempt, new = await self.write(tenant_id, None, begin)
        return await self._send(tenant_id, attempt, None) if new else attempt

    async def begin_setup(self, gateway: str, request: SetupRequest) -> Setup:
        """Prepare for a payer to leave a method with a gateway.

        Raises:
            GatewayMissingError: there is no such gateway.
            GatewayUnavailableError: it does not answer.
        """
        try:
            return await self.answer((await self.open(request.tenant_id, gateway)).begin_setup(request))
        except NoAnswerError as error:
            raise GatewayUnavailableError(gateway=gateway) from error

    async def describe(self, tenant_id: str, gateway: str, token: str) -> Card:
        """What may be shown of a gateway's token.

        Raises:
            GatewayMissingError: there is no such gateway.
            InvalidFieldError: it has no such token.
            GatewayUnavailableError: it does not answer.
        """
        try:
            return await self.answer((await self.open(tenant_id, gateway)).describe(token))
        except NoAnswerError as error:
            raise GatewayUnavailableError(gateway=gateway) from error

    async def _collect_one(self, tenant_id: str, account_id: str, at: int | None) -> bool:
        """Make the next attempt, if there is one now; whether there is more to do for its account."""
        begun = await self.write(tenant_id, at, lambda work, moment: self._next(work, account_id, moment))
        if begun is None:
            return False
        attempt, gateway = begun
        outcome = await self._outcome(tenant_id, attempt, gateway)
        return await self.write(tenant_id, at, lambda work, moment: settle_and_look(work, attempt, outcome, moment))

    async def _next(self, work: BillingWork, account_id: str, moment: Moment) -> tuple[Attempt, Gateway] | None:
        """The next attempt, with the gateway to ask: where that cannot be asked, none is begun."""
        attempt = await next_attempt(work, account_id, moment, attempt_id=f"pay_{self.new_id()}", end=self.end)
        if attempt is None:
            return None
        self.gateways.token(work.tenant_id, attempt.gateway, attempt.token)
        return attempt, await self._opened(work, work.tenant_id, attempt.gateway)

    async def _send(self, tenant_id: str, attempt: Attempt, at: int | None) -> Attempt:
        gateway = await self.open(tenant_id, attempt.gateway)
        return await self._settle(tenant_id, attempt, await self._outcome(tenant_id, attempt, gateway), at)

    async def _outcome(self, tenant_id: str, attempt: Attempt, gateway: Gateway) -> Outcome:
        try:
            return await self.answer(gateway.charge(self._asked(tenant_id, attempt)))
        except NoAnswerError:
            _log.warning("a gateway did not answer: what became of attempt %s is asked", attempt.attempt_id)
            return NO_ANSWER

    async def _settle(self, tenant_id: str, attempt: Attempt, outcome: Outcome, at: int | None) -> Attempt:
        return await self.write(tenant_id, at, lambda work, moment: settle(work, attempt.attempt_id, outcome, moment))

    async def _may_be_sent_again(self, tenant_id: str, attempt: Attempt, now: int) -> bool:
        """Whether the same request is still wanted, and the same to its gateway."""
        if not (await self.open(tenant_id, attempt.gateway)).keeps_keys or now - attempt.create_time >= KEYS_LAST:
            return False
        return await self.read(tenant_id, lambda work: _is_wanted(work, attempt))

    @staticmethod
    async def answer(asked: Awaitable[T]) -> T:
        """What a gateway answers in time.

        Raises:
            NoAnswerError: nothing.
        """
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                return await asked
        except TimeoutError as error:
            raise NoAnswerError from error

    async def instant(self, tenant_id: str, at: int | None) -> int:
        """Now, by the tenant's clock; `at` is a test tenant's instant."""

        async def now(_work: BillingWork, now: int) -> int:
            return now

        return at if at is not None else await self.transactions.read(tenant_id, now, now=self.clock())

    async def read(self, tenant_id: str, use_case: Callable[[BillingWork], Awaitable[T]]) -> T:
        """Run what only reads."""
        return await self.transactions.read(tenant_id, lambda work, _: use_case(work), now=self.clock())

    async def write(self, tenant_id: str, at: int | None, use_case: Callable[[BillingWork, Moment], Awaitable[T]]) -> T:
        """Run a step in a transaction of its own."""
        real = self.clock()

        async def at_its_moment(work: BillingWork, now: int) -> T:
            return await use_case(work, Moment(now=now if at is None else at, real=real))

        return (await self.transactions.write(tenant_id, at_its_moment, now=real)).value

    async def open(self, tenant_id: str, name: str) -> Gateway:
        """A gateway as a tenant sees it that uses it.

        Raises:
            GatewayMissingError: it uses none of this name.
        """
        return await self.read(tenant_id, lambda work: self._opened(work, tenant_id, name))

    async def _opened(self, work: BillingWork, tenant_id: str, name: str) -> Gateway:
        used = await work.payments.gateways()
        found = next((gateway for gateway in used if gateway.name == name), None)
        if found is None:
            raise GatewayMissingError(gateway=name)
        return self.gateways.open(tenant_id, found)

    def _asked(self, tenant_id: str, attempt: Attempt) -> ChargeRequest:
        token = self.gateways.token(tenant_id, attempt.gateway, attempt.token)
        return replace(request_of(tenant_id, attempt), token=token)


async def _is_wanted(work: BillingWork, attempt: Attempt) -> bool:
    """Whether something is still due, and its method not detached since."""
    method = await work.payments.method(attempt.method_id)
    if method is None or method.detach_time is not None:
        return False
    return is_top_up(attempt) or (await get_invoice(work, attempt.invoice_id)).balance.due > 0


async def _method(work: BillingWork, account_id: str, method_id: str) -> Method:
    if not method_id:
        found = await default_method(work, account_id)
        if found is None:
            raise MethodMissingError(account_id=account_id)
        return found
    method = await work.payments.method(method_id)
    if method is None or method.account_id != account_id or method.detach_time is not None:
        raise MethodNotFoundError(method_id=method_id)
    return method
