"""Bills that come again: submitted one by one when they are due, until they have ended or are cancelled."""

from dataclasses import replace

from tallygate.billing.partners.bills import check_chargeable, submit_bill
from tallygate.domain.billing.recurring_bills import MOST_OFTEN, RecurringBill
from tallygate.domain.errors import BillingNotStartedError, ConflictError, InvalidFieldError
from tallygate.domain.partner_errors import BillNotFoundError
from tallygate.domain.period import local_date, local_midnight
from tallygate.records.fields import check_id
from tallygate.records.partners import RECURRING_BILL
from tallygate.records.ports import BillingWork, NewId

_LONGEST_TEXT = 190
"""With what stands before it where it is the initial one, as long as a fee's may be."""
_LONGEST_ID = 200
_AT_ONCE = 25
"""Bills of one transaction: the rest of a long outage is another's."""


async def submit_recurring(work: BillingWork, wanted: RecurringBill, *, now: int, new_id: NewId) -> RecurringBill:
    """Have bills submitted every so often, and what is due at once; the same once more changes nothing.

    Raises:
        InvalidFieldError: a field is wrong.
        AccountNotChargeableError: there is no such account, or it never held a plan of a provider that has some.
        ConflictError: another one has this id.
        BillingNotStartedError: the tenant does not bill.
    """
    catalog = await work.catalog.load()
    name = wanted.recurring_bill_id or f"rbill_{new_id()}"
    bill = replace(wanted, recurring_bill_id=name, zone=catalog.time_zone, create_time=now)
    bill = bill if bill.start_time else replace(bill, start_time=now)
    known = await work.recurring_bills.get(name)
    if known is not None:
        same = replace(bill, create_time=known.create_time, made=known.made, cancel_time=known.cancel_time)
        same = same if wanted.start_time else replace(same, start_time=known.start_time)
        if replace(same, zone=known.zone) != known:
            raise ConflictError(recurring_bill_id=name)
        return known
    _check(bill, now)
    if catalog.billing is None:
        raise BillingNotStartedError
    await check_chargeable(work, account_id=bill.account_id, provider=bill.provider)
    if bill.initial:
        await submit_bill(work, bill.first(), now=now, new_id=new_id)
    await work.recurring_bills.put(bill)
    await work.jobs.schedule(RECURRING_BILL, name, due_time=bill.start_time)
    return bill


def _check(bill: RecurringBill, now: int) -> None:
    check_id("bill.provider", bill.provider)
    if len(bill.recurring_bill_id) > _LONGEST_ID:
        raise InvalidFieldError(field="bill.recurring_bill_id", expected=f"at most {_LONGEST_ID} characters")
    if bill.price <= 0:
        raise InvalidFieldError(field="bill.price", expected="an amount above 0")
    if not 1 <= len(bill.text) <= _LONGEST_TEXT or not bill.text.isprintable():
        raise InvalidFieldError(field="bill.text", expected=f"1 to {_LONGEST_TEXT} printable characters")
    most = MOST_OFTEN[bill.period]
    if not 1 <= bill.frequency <= most:
        expected = f"1 to {most}, for bills come once a year at least"
        raise InvalidFieldError(field="bill.frequency", expected=expected, got=bill.frequency)
    if bill.start_time < local_midnight(local_date(now, zone=bill.zone), zone=bill.zone):
        raise InvalidFieldError(field="bill.start_time", expected="today or later")


async def submit_due(work: BillingWork, name: str, *, now: int, new_id: NewId) -> None:
    """Submit what is due of a recurring bill by now, and plan the next look."""
    bill = await work.recurring_bills.get(name)
    for _ in range(_AT_ONCE):
        if bill is None or bill.ended or bill.due(bill.made) > now:
            break
        await submit_bill(work, bill.bill(), now=now, new_id=new_id)
        bill = replace(bill, made=bill.made + 1)
        await work.recurring_bills.put(bill)
    if bill is None or bill.ended:
        await work.jobs.done(RECURRING_BILL, name)
    else:
        await work.jobs.schedule(RECURRING_BILL, name, due_time=bill.due(bill.made))


async def cancel_recurring(work: BillingWork, provider: str, name: str, *, now: int) -> RecurringBill:
    """Let no more bills come; those that were submitted stay. Again, or where none came any more, it changes nothing.

    Raises:
        BillNotFoundError: the provider has no such recurring bill.
    """
    known = await work.recurring_bills.get(name)
    if known is None or known.provider != provider:
        raise BillNotFoundError(bill_id=name)
    if known.ended:
        return known
    cancelled = replace(known, cancel_time=now)
    await work.recurring_bills.put(cancelled)
    await work.jobs.done(RECURRING_BILL, name)
    return cancelled
