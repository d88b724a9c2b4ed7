"""Money that came past every gateway, and lists of what was paid and tried."""

from dataclasses import dataclass, replace

from tallygate.billing.dunning_runs import review
from tallygate.billing.invoices import get_invoice
from tallygate.billing.methods import default_method
from tallygate.billing.owing import billing_policy, collection_of
from tallygate.billing.receiving import receive
from tallygate.domain.billing.amounts import check_amount
from tallygate.domain.billing.dunning import Case, RetryObstacle
from tallygate.domain.billing.payments import Attempt, Cause, Method, Payment, PaymentKind
from tallygate.domain.billing_terms import Collection, DunningState
from tallygate.domain.errors import ConflictError, InvalidFieldError
from tallygate.domain.fields import checked_id
from tallygate.domain.payment_errors import CurrencyMismatchError
from tallygate.records.lookup import known_account
from tallygate.records.paging import Page, PageRequest, newest_of
from tallygate.records.payments import MoneyQuery
from tallygate.records.ports import BillingWork, NewId

_LONGEST_REFERENCE = 200
_ATTEMPTS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordOffline:
    """Money to record, in minor units; of an empty `invoice_id` it pays the oldest."""

    account_id: str
    currency: str
    amount: int
    payment_id: str = ""
    reference: str = ""
    invoice_id: str = ""


async def record_offline(work: BillingWork, wanted: RecordOffline, *, now: int, new_id: NewId) -> Payment:
    """Take in money that came past every gateway; the same one again answers what there is.

    Raises:
        InvalidFieldError: it is no amount above 0, or the reference is too long.
        AccountNotFoundError: there is no such account.
        InvoiceNotFoundError: it has no such invoice.
        CurrencyMismatchError: the invoice is in another currency.
        ConflictError: another payment has this id.
    """
    _check(wanted)
    await known_account(work, wanted.account_id)
    payment = Payment(
        payment_id=checked_id("payment_id", wanted.payment_id or f"pay_{new_id()}"),
        account_id=wanted.account_id,
        currency=wanted.currency,
        amount=wanted.amount,
        kind=PaymentKind.OFFLINE,
        shares=(),
        reference=wanted.reference,
        create_time=now,
    )
    known = await work.payments.payment(payment.payment_id)
    if known is not None:
        if replace(known, shares=(), create_time=now) != payment:
            raise ConflictError(payment_id=payment.payment_id)
        return known
    taken = await receive(work, payment, first=await _meant(work, wanted))
    await review(work, wanted.account_id, now=now)
    return taken


async def list_payments(work: BillingWork, wanted: MoneyQuery, page: PageRequest) -> Page[Payment]:
    """Money that came, newest first."""
    return await newest_of(
        page,
        lambda before, limit: work.payments.payments(replace(wanted, limit=limit, before=before)),
        lambda payment: (payment.create_time, payment.payment_id),
    )


async def list_attempts(work: BillingWork, wanted: MoneyQuery, page: PageRequest) -> Page[Attempt]:
    """What was tried, newest first."""
    return await newest_of(
        page,
        lambda before, limit: work.payments.attempts(replace(wanted, limit=limit, before=before)),
        lambda attempt: (attempt.create_time, attempt.attempt_id),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Dunned:
    """A case as it is told: what the account is for it, and will be; how often it was tried again, and whether it will.

    `worse` is an instant and what the account is from then on where nobody pays.
    """

    case: Case
    state: DunningState | None
    worse: tuple[int, DunningState] | None
    retries: int
    obstacle: RetryObstacle | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Collected:
    """How an account's invoices are collected, and its cases."""

    collection: Collection
    cases: tuple[Dunned, ...]
    state: DunningState | None


async def get_collection(work: BillingWork, account_id: str, *, now: int) -> Collected:
    """How an account's invoices are collected, and what of them was not paid.

    Raises:
        AccountNotFoundError: there is no such account.
    """
    await known_account(work, account_id)
    policy = await billing_policy(work)
    collection, method = await collection_of(work, account_id, policy), await default_method(work, account_id)
    rules, cases = policy.dunning, []
    for case in await work.payments.cases(account_id):
        obstacle = None if case.exhausted else _obstacle(case, collection, method)
        cases.append(
            Dunned(
                case=case,
                state=case.reached(rules, now=now),
                worse=case.worse(rules, now=now),
                retries=await _retries(work, case),
                obstacle=obstacle,
            )
        )
    standing = (await work.accounts.standings([account_id]))[account_id]
    state = DunningState(standing.value) if standing.value else None
    return Collected(collection=collection, cases=tuple(cases), state=state)


def _obstacle(case: Case, collection: Collection, method: Method | None) -> RetryObstacle | None:
    if collection is Collection.MANUAL:
        return RetryObstacle.BY_HAND
    if method is None:
        return RetryObstacle.METHOD_MISSING
    return RetryObstacle.METHOD_REFUSED if method.method_id == case.refused else None


async def _retries(work: BillingWork, case: Case) -> int:
    """How many attempts dunning made in a case: those after it began, for the first one began it."""
    found, before = 0, None
    while True:
        query = MoneyQuery(limit=_ATTEMPTS, account_id=case.account_id, before=before)
        attempts = await work.payments.attempts(query)
        own = [each for each in attempts if each.create_time > case.start_time]
        found += sum(each.cause is Cause.AUTOMATIC and each.currency == case.currency for each in own)
        if len(own) < _ATTEMPTS:
            return found
        before = own[-1].create_time, own[-1].attempt_id


def _check(wanted: RecordOffline) -> None:
    check_amount(wanted.amount, wanted.currency)
    if len(wanted.reference) > _LONGEST_REFERENCE or not wanted.reference.isprintable():
        raise InvalidFieldError(field="reference", expected=f"up to {_LONGEST_REFERENCE} printable characters")


async def _meant(work: BillingWork, wanted: RecordOffline) -> list[str]:
    if not wanted.invoice_id:
        return []
    invoice = await get_invoice(work, wanted.invoice_id)
    if invoice.account_id != wanted.account_id:
        raise InvalidFieldError(field="invoice_id", expected="an invoice of the account", got=wanted.invoice_id)
    if invoice.currency != wanted.currency:
        raise CurrencyMismatchError(currency=wanted.currency, expected=invoice.currency)
    return [invoice.invoice_id]
