"""When what a document charges is earned: once it is paid in full, less what was given back. No clock, no I/O."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from tallygate.domain.billing.lines import Line
from tallygate.domain.billing.posting import CHARGEBACK, FUNDS, LIABILITY, OFFLINE, RECEIVABLE, Transfer
from tallygate.domain.billing.sharing import Revenue

_MONEY = frozenset({FUNDS, OFFLINE, LIABILITY, CHARGEBACK})


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenBack:
    """A line of a credit note that gives back of a document, from an instant on; `amount` is below zero."""

    line_key: str
    amount: int
    time: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Earning:
    """An invoice with all that is needed to tell what of it was earned when.

    `moves` are the transfers of it and of the notes that credit it, in the order of their time.
    """

    invoice_id: str
    number: str
    account_id: str
    currency: str
    issue_time: int
    total: int
    lines: tuple[Line, ...]
    given_back: tuple[GivenBack, ...] = ()
    moves: tuple[Transfer, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Whose a line is: a provider's (empty: the tenant's own); whether it is only passed on for a third party."""

    provider: str = ""
    third_party: bool = False


def first_paid(earning: Earning, *, before: int) -> int | None:
    """When it was paid in full first, before an instant; None: it was not, or it is open again."""
    if earning.issue_time >= before:
        return None
    left, found = earning.total, earning.issue_time if earning.total <= 0 else None
    for move in earning.moves:
        if move.time >= before:
            break
        left -= _came(move, earning.invoice_id)
        if left <= 0 and found is None:
            found = move.time
    return found if left <= 0 else None


def revenue_of(earning: Earning, source_of: Callable[[Line], Source], *, before: int) -> Revenue:
    """What it brings in, by provider, with what was given back of it before an instant."""
    shared: dict[str, int] = {}
    passed: dict[str, int] = {}
    back: dict[str, int] = {}
    for one in earning.given_back:
        if one.time < before:
            back[one.line_key] = back.get(one.line_key, 0) + one.amount
    for line in earning.lines:
        source = source_of(line)
        place = passed if source.third_party else shared
        place[source.provider] = place.get(source.provider, 0) + line.amount + back.get(line.line_key, 0)
    return Revenue(account_id=earning.account_id, shared=shared, passed=passed)


def transfers_in_order(moves: Iterable[Transfer]) -> tuple[Transfer, ...]:
    """As they took effect."""
    return tuple(sorted(moves, key=lambda one: (one.time, one.entry_id, one.line)))


def _came(move: Transfer, invoice_id: str) -> int:
    """What a transfer takes off what is to be paid: money, or what a note gives back, not what is given up."""
    if move.credit == RECEIVABLE and (move.debit in _MONEY or move.document_id != invoice_id):
        return move.amount
    if move.debit == RECEIVABLE and move.credit in _MONEY:
        return -move.amount
    return 0
