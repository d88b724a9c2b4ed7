"""Changes of how many seats and users are booked on the live subscription."""

from dataclasses import dataclass, replace

from tallygate.control_plane.bookings import check_booking
from tallygate.control_plane.proposals import Proposal, changeable
from tallygate.domain.account import Booking, ChangeProration
from tallygate.domain.subscription_errors import SubscriptionConflictError
from tallygate.records.lookup import account_record, known_account
from tallygate.records.ports import BillingWork

_MOST = 1_000
"""Bookings of one subscription: all of them are part of its account's record."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BookQuantity:
    """So many seats of a feature, or where none is named users, to be paid from now on; 0: those taken alone."""

    account_id: str
    feature_key: str
    quantity: int
    proration: ChangeProration = ChangeProration.PRORATE


async def proposed_booking(work: BillingWork, request: BookQuantity, *, now: int) -> Proposal:
    """The live subscription with so many seats or users booked from now on.

    Raises:
        FeatureNotFoundError: there is no such feature.
        SubscriptionNotFoundError: there is no live subscription.
        SubscriptionConflictError: it is cancelled, suspended or incomplete, or was booked on too often.
        InvalidFieldError: nothing that is held charges by them, or the plan does not give so many seats.
    """
    account, catalog = await known_account(work, request.account_id), await work.catalog.load()
    held = await changeable(work, account, now)
    subscription, start = held.subscription, max(now, held.subscription.start_time)
    record = await account_record(work, request.account_id)
    check_booking(catalog, record, subscription, request.feature_key, request.quantity, at=start, field="quantity")
    after = subscription
    if subscription.booked_at(start).get(request.feature_key, 0) != request.quantity:
        if len(subscription.bookings) >= _MOST:
            raise SubscriptionConflictError(account_id=request.account_id, expected=f"at most {_MOST} bookings")
        booking = Booking(
            source=request.feature_key, quantity=request.quantity, start_time=start, proration=request.proration
        )
        after = replace(subscription, bookings=(*subscription.bookings, booking))
    changed = replace(held, subscription=after)
    return Proposal(method="BookQuantity", before=held, after=changed, change_time=start)
