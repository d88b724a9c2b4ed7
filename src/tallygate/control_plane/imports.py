"""Many accounts in one transaction and one publication, each with its own outcome."""

from collections.abc import Sequence
from dataclasses import dataclass

from tallygate.control_plane.accounts import UpsertAccount, put_account
from tallygate.control_plane.subscription_terms import term_at
from tallygate.control_plane.subscriptions import CreateSubscription, create_subscription, live_ones
from tallygate.domain.errors import InvalidFieldError, TallygateError, UnavailableError
from tallygate.domain.subscription_errors import SubscriptionConflictError
from tallygate.records.ports import BillingWork, NewId

MOST_ITEMS = 200
"""As many as a transaction, which keeps the tenant's other writers waiting, does in about a second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportItem:
    """An account, and the subscription that it may bring: kept where it is to the plan that serves already."""

    account: UpsertAccount
    subscription: CreateSubscription | None = None


Outcome = bool | TallygateError
"""Whether the account is new, or why nothing of the item was done."""


async def import_accounts(
    work: BillingWork, items: Sequence[ImportItem], *, now: int, new_id: NewId
) -> Sequence[Outcome]:
    """Create or change accounts. What is refused of one keeps no other out; again it changes nothing.

    Raises:
        InvalidFieldError: an account is named twice.
        UnavailableError: the store went away; nothing was done.
    """
    named: set[str] = set()
    for item in items:
        account_id = item.account.account_id
        if account_id in named:
            raise InvalidFieldError(field="items.account.account_id", expected="each account once", got=account_id)
        named.add(account_id)
    return [await _outcome(work, item, now=now, new_id=new_id) for item in items]


async def _outcome(work: BillingWork, item: ImportItem, *, now: int, new_id: NewId) -> Outcome:
    try:
        async with work.part():
            created = await put_account(work, item.account, now=now, new_id=new_id)
            if item.subscription is not None:
                await _subscribe(work, item.subscription, now=now, new_id=new_id)
    except UnavailableError:
        raise
    except TallygateError as error:
        return error
    return created


async def _subscribe(work: BillingWork, request: CreateSubscription, *, now: int, new_id: NewId) -> None:
    try:
        await create_subscription(work, request, now=now, new_id=new_id)
    except SubscriptionConflictError:
        held = (await live_ones(work, [request.account_id], now=now)).get(request.account_id)
        if held is None or term_at(held.subscription, now).plan_key != request.plan_key:
            raise
