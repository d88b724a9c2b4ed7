"""Named seats: who holds one is decided in the transaction that assigns it, so that the last one is given once."""

from dataclasses import dataclass, replace

from tallygate.domain.account import AccountRecord
from tallygate.domain.catalog import Catalog, FeatureKind
from tallygate.domain.errors import AccountFullError, InvalidFieldError
from tallygate.domain.gating.decide import decide
from tallygate.domain.gating.decision import Decision, Reason
from tallygate.domain.gating.remedies import Question
from tallygate.domain.gating.resolve import resolve
from tallygate.records.fields import check_id
from tallygate.records.lookup import account_record, feature_of, known_account
from tallygate.records.paging import FIRST_PAGE, Page, PageRequest, key_of, page_of
from tallygate.records.ports import UnitOfWork
from tallygate.records.values import SeatHolder

MOST_SEATS = 10_000
"""How many named seats an account holds at most: its record names every holder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignSeat:
    """A seat of a feature for a user, who becomes a user of the account where they are not one yet."""

    account_id: str
    feature_key: str
    user_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Assigned:
    """The decision, and the seat that the user holds after it."""

    decision: Decision
    holder: SeatHolder | None = None


async def assign_seat(work: UnitOfWork, request: AssignSeat, *, now: int) -> Assigned:
    """Give a user a seat where one is free, or beyond the limit where overage is allowed.

    Who holds a seat keeps it, whatever the limit is by now, and is answered ENTITLED. A denial is a value; `used`
    counts the seats taken afterwards.

    Raises:
        AccountFullError: the account holds too many, whatever its plan allows.
    """
    check_id("user_id", request.user_id)
    record = await account_record(work, request.account_id)
    catalog = await work.catalog.load()
    _check_seat_feature(catalog, request.feature_key)
    decision = _decide(catalog, record, request, now=now)
    if decision.granted_quantity:
        if sum(map(len, record.seats.values())) >= MOST_SEATS:
            raise AccountFullError(account_id=request.account_id, holds="seats", limit=MOST_SEATS)
        await work.users.add(request.account_id, [request.user_id], now=now)
        holder = SeatHolder(feature_key=request.feature_key, user_id=request.user_id, assign_time=now)
        await work.seats.assign(request.account_id, holder)
        return Assigned(decision=decision, holder=holder)
    return Assigned(decision=decision, holder=await _seat(work, request) if decision.allowed else None)


async def unassign_seat(work: UnitOfWork, account_id: str, feature_key: str, user_id: str) -> bool:
    """Free a user's seat; whether they held one."""
    await known_account(work, account_id)
    _check_seat_feature(await work.catalog.load(), feature_key)
    return await work.seats.unassign(account_id, feature_key, [user_id])


async def list_seats(
    work: UnitOfWork, account_id: str, feature_key: str, page: PageRequest = FIRST_PAGE
) -> Page[SeatHolder]:
    """Who holds seats, of one feature or with an empty key of all, by feature and user."""
    await known_account(work, account_id)
    if feature_key:
        _check_seat_feature(await work.catalog.load(), feature_key)
    after = page.after_pair()
    return await page_of(
        page,
        lambda _, limit: work.seats.list(account_id, feature_key, after=after, limit=limit),
        lambda holder: key_of(holder.feature_key, holder.user_id),
    )


async def _seat(work: UnitOfWork, request: AssignSeat) -> SeatHolder | None:
    return await work.seats.get(request.account_id, request.feature_key, request.user_id)


def _check_seat_feature(catalog: Catalog, feature_key: str) -> None:
    feature = feature_of(catalog, feature_key)
    if feature.kind is not FeatureKind.SEAT:
        raise InvalidFieldError(field="feature_key", expected="a feature of kind seat", got=feature.kind)


def _decide(catalog: Catalog, record: AccountRecord, request: AssignSeat, *, now: int) -> Decision:
    """Whether one more seat fits beside those that others hold; who is beyond a limit that shrank keeps theirs."""
    key = request.feature_key
    holders = record.seats.get(key, ())
    others = tuple(user_id for user_id in holders if user_id != request.user_id)
    held = resolve(catalog, replace(record, seats={**record.seats, key: others}))
    decision = decide(catalog, held, Question(feature=catalog.features[key], at=now))
    seated = len(others) < len(holders)
    if seated and (decision.allowed or decision.reason is Reason.SEAT_LIMIT):
        kept = replace(decision, allowed=True, reason=Reason.ENTITLED)
        decision = replace(kept, retry_after=None, shortfall=None, unblock_options=())
    granted = int(decision.allowed and not seated)
    used = len(holders) + granted
    remaining = None if decision.limit is None else max(0, decision.limit - used)
    return replace(decision, used=used, remaining=remaining, granted_quantity=granted)
