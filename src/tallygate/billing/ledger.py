"""The ledger as it is asked: transfers, balances at an instant, and whether it agrees with what it mirrors."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from tallygate.domain.billing.posting import Balance, Transfer
from tallygate.domain.errors import InvalidFieldError
from tallygate.domain.instants import rfc3339
from tallygate.records.fields import check_instant
from tallygate.records.ledger import Figure, TransferQuery
from tallygate.records.paging import SEPARATOR, Page, PageRequest, key_of, newest_of
from tallygate.records.ports import BillingWork

_LEDGER_ACCOUNT = re.compile(r"[a-z]+(/[^:]+)?:[A-Z][A-Za-z]+")
_LONGEST_NAME = 300
_DIGITS = 20
_MOST_LINES = 2**31


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Where the ledger does not agree with the records that it mirrors, in minor units: `expected` is by these."""

    ledger_account: str
    account_id: str
    currency: str
    expected: int
    posted: int


async def list_transfers(work: BillingWork, wanted: TransferQuery, page: PageRequest) -> Page[Transfer]:
    """Transfers in the order that is wanted, page by page.

    Raises:
        InvalidFieldError: a filter is wrong, or no such list handed out this token.
    """
    name = wanted.ledger_account
    if name and (len(name) > _LONGEST_NAME or not _LEDGER_ACCOUNT.fullmatch(name)):
        expected = "a ledger account as account:Receivable"
        raise InvalidFieldError(field="ledger_account", expected=expected, got=ascii(name[:40]))

    async def load(last: tuple[int, str] | None, limit: int) -> list[Transfer]:
        beyond = _place(last) if last is not None else None
        return list(await work.ledger.list(replace(wanted, limit=limit, beyond=beyond)))

    return await newest_of(page, load, lambda one: (one.time, key_of(one.entry_id, one.line)))


async def trial_balance(work: BillingWork, *, at: int, account_id: str = "") -> tuple[Balance, ...]:
    """What every ledger account stands at; debits and credits of a currency are equal."""
    return tuple(await work.ledger.balances(at=at, account_id=account_id))


async def close_books(work: BillingWork, time: int, *, now: int) -> int:
    """Close the books: what took effect before an instant stays as it is, and what comes late takes effect then.

    Raises:
        InvalidFieldError: it lies in the future, or before the instant that they are closed until.
    """
    closed = (await work.tenants.get()).books_closed_time
    check_instant("closed_time", time)
    if time > now:
        raise InvalidFieldError(field="closed_time", expected=f"not after now, {rfc3339(now)}", got=rfc3339(time))
    if closed is not None and time < closed:
        expected = f"not before {rfc3339(closed)}, until when the books are closed"
        raise InvalidFieldError(field="closed_time", expected=expected, got=rfc3339(time))
    if time != closed:
        await work.ledger.close(time)
    return time


async def audit_ledger(work: BillingWork) -> tuple[Difference, ...]:
    """Every difference between the ledger and the records: what is due, kept for accounts, and not income yet."""
    expected = _by_key([*await work.audit.owed(), *await work.audit.unrecognised()])
    posted = _by_key(await work.audit.posted())
    return tuple(
        Difference(
            ledger_account=key[0],
            account_id=key[1],
            currency=key[2],
            expected=expected.get(key, 0),
            posted=posted.get(key, 0),
        )
        for key in sorted({*expected, *posted})
        if expected.get(key, 0) != posted.get(key, 0)
    )


def _by_key(figures: Sequence[Figure]) -> Mapping[tuple[str, str, str], int]:
    found: dict[tuple[str, str, str], int] = {}
    for one in figures:
        key = one.ledger_account, one.account_id, one.currency
        found[key] = found.get(key, 0) + one.amount
    return found


def _place(last: tuple[int, str]) -> tuple[int, str, int]:
    entry_id, separator, line = last[1].rpartition(SEPARATOR)
    if not (separator and line.isascii() and line.isdecimal() and len(line) == _DIGITS and int(line) < _MOST_LINES):
        raise InvalidFieldError(field="page_token", expected="a token that this list answered")
    return last[0], entry_id, int(line)
