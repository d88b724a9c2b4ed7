"""Transfers as text that the `ledger` program reads."""

from collections.abc import Iterable
from fractions import Fraction
from urllib.parse import quote

from tallygate.domain.billing.posting import Transfer
from tallygate.domain.currency import decimals_of
from tallygate.domain.money import exact_text
from tallygate.domain.period import local_date

_PLAIN = "._-@/+"
_OWNED = "account:"


def ledger_text(transfers: Iterable[Transfer]) -> str:
    """Each transfer as a transaction of two postings, dated in UTC; texts of pages in order make one file."""
    return "".join(map(_transaction, transfers))


def full_name(ledger_account: str, account_id: str) -> str:
    """A ledger account with the account that owns it, as in account/acme:Receivable.

    What an id has besides letters, digits and `._-@/+` is written as %XX, for colons and spaces mean something.
    """
    if not ledger_account.startswith(_OWNED):
        return ledger_account
    return f"account/{_safe(account_id)}:{ledger_account.removeprefix(_OWNED)}"


def amount_text(amount: int, currency: str) -> str:
    """Minor units as the currency has decimals: 10.00 USD, 10 JPY, 0.010 BHD."""
    decimals = decimals_of(currency)
    whole, _, rest = exact_text(Fraction(abs(amount), 10**decimals)).partition(".")
    sign = "-" if amount < 0 else ""
    return f"{sign}{whole}{'.' if decimals else ''}{rest.ljust(decimals, '0')} {currency}"


def _transaction(one: Transfer) -> str:
    day = local_date(one.time, zone="UTC").strftime("%Y/%m/%d")
    debit, credit = full_name(one.debit, one.account_id), full_name(one.credit, one.account_id)
    return (
        f"{day} * {_safe(one.entry_id)}/{one.line}\n"
        f"    {debit}  {amount_text(one.amount, one.currency)}\n"
        f"    {credit}  {amount_text(-one.amount, one.currency)}\n\n"
    )


def _safe(text: str) -> str:
    return "".join(one if one.isalnum() or one in _PLAIN else quote(one, safe="") for one in text)
