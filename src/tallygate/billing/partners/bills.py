"""Bills of providers: submitted, invoiced with the account's next invoice, or cancelled before that."""

from dataclasses import replace

from tallygate.billing.fees import CreateFee, create_fee
from tallygate.domain.billing.bills import Bill, BillState
from tallygate.domain.errors import ConflictError, InvalidFieldError
from tallygate.domain.partner_errors import AccountNotChargeableError, BillInvoicedError, BillNotFoundError
from tallygate.records.fields import check_id
from tallygate.records.paging import Page, PageRequest, newest_of
from tallygate.records.partners import BillQuery
from tallygate.records.ports import BillingWork, NewId

_UNITS, _HUNDREDTHS = 10**8, 100


async def submit_bill(work: BillingWork, wanted: Bill, *, now: int, new_id: NewId) -> Bill:
    """Have an account's next invoice charge what a provider asks for; the same once more changes nothing.

    Raises:
        InvalidFieldError: a field is wrong.
        AccountNotChargeableError: there is no such account, or it never held a plan of a provider that has some.
        ConflictError: another bill, or a fee, has this id.
        BillingNotStartedError: the tenant does not bill.
    """
    check_id("bill.provider", wanted.provider)
    if wanted.price <= 0:
        raise InvalidFieldError(field="bill.price", expected="an amount above 0")
    if not 0 < wanted.units < _UNITS or (wanted.units * _HUNDREDTHS).denominator != 1:
        raise InvalidFieldError(field="bill.units", expected="more than 0, at most 99999999.99, in hundredths")
    start, end = wanted.period_start, wanted.period_end
    if start is not None and end is not None and end <= start:
        raise InvalidFieldError(field="bill.period_end", expected="after bill.period_start")
    await check_chargeable(work, account_id=wanted.account_id, provider=wanted.provider)
    bill = replace(wanted, bill_id=wanted.bill_id or f"bill_{new_id()}", create_time=now)
    known = await work.bills.get(bill.bill_id)
    if known is not None:
        if replace(known, create_time=now, cancel_time=None, invoiced=False) != bill:
            raise ConflictError(bill_id=bill.bill_id)
        return known
    if await work.fees.get(bill.bill_id) is not None:
        raise ConflictError(bill_id=bill.bill_id)
    await create_fee(
        work,
        CreateFee(
            account_id=bill.account_id,
            currency=bill.currency,
            text=bill.text,
            exact=bill.exact,
            quantity=bill.units,
            fee_id=bill.bill_id,
            period=bill.period,
            field="bill.price",
        ),
        now=now,
        new_id=new_id,
    )
    await work.bills.add(bill)
    return bill


async def check_chargeable(work: BillingWork, *, account_id: str, provider: str) -> None:
    """Who sells plans here bills those who hold or held one of them; who sells none bills anybody.

    Raises:
        AccountNotChargeableError: the account is none of them, or there is none.
    """
    plans = (await work.catalog.load()).plans
    sold = {key for key, held in plans.items() if any(plan.provider == provider for plan in held.values())}
    known = await work.accounts.get(account_id) is not None
    if known and sold:
        subscriptions = await work.subscriptions.of(account_id)
        known = any(term.plan_key in sold for each in subscriptions for term in each.subscription.terms)
    if not known:
        raise AccountNotChargeableError(account_id=account_id, provider=provider)


async def cancel_bill(work: BillingWork, provider: str, bill_id: str, *, now: int) -> Bill:
    """Let no invoice charge a bill; again it changes nothing.

    Raises:
        BillNotFoundError: the provider has no such bill.
        BillInvoicedError: an invoice charges it already.
    """
    known = await work.bills.get(bill_id)
    if known is None or known.provider != provider:
        raise BillNotFoundError(bill_id=bill_id)
    if known.state is BillState.CANCELLED:
        return known
    if known.state is BillState.INVOICED:
        raise BillInvoicedError(bill_id=bill_id)
    await work.bills.cancel(known, now=now)
    return replace(known, cancel_time=now)


async def list_bills(work: BillingWork, wanted: BillQuery, page: PageRequest) -> Page[Bill]:
    """Bills, newest first."""
    return await newest_of(
        page,
        lambda before, limit: work.bills.list(replace(wanted, before=before, limit=limit)),
        lambda bill: (bill.create_time, bill.bill_id),
    )
