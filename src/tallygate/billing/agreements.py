"""Discounts by agreement and referrals: noted once, changed by nobody else."""

from dataclasses import replace

from tallygate.billing.coupons import check_terms
from tallygate.domain.billing.amounts import check_amount
from tallygate.domain.billing.discounts import DiscountGrant, DiscountType
from tallygate.domain.billing.documents import InvoiceKind
from tallygate.domain.billing.referrals import Referral
from tallygate.domain.discount_errors import DiscountNotFoundError
from tallygate.domain.errors import ConflictError, InvalidFieldError
from tallygate.records.billing import InvoiceQuery
from tallygate.records.fields import check_id, check_instant, check_label
from tallygate.records.lookup import known_account
from tallygate.records.ports import BillingWork

_A_PAGE = 100


async def grant_discount(work: BillingWork, wanted: DiscountGrant, *, start: int | None, now: int) -> DiscountGrant:
    """Note what is off for an account, from `start` on (None: now); the same once more changes nothing.

    Raises:
        InvalidFieldError: a field is wrong.
        AccountNotFoundError: there is no such account.
        ConflictError: another discount has this id.
    """
    check_id("discount_id", wanted.discount_id)
    check_label("text", wanted.text)
    await known_account(work, wanted.account_id)
    if wanted.terms.type is DiscountType.AMOUNT and not wanted.terms.currency:
        own = (await work.tenants.get()).currency
        wanted = replace(wanted, terms=replace(wanted.terms, currency=own))
    await check_terms(work, wanted.terms, path="discount")
    known = await work.discounts.get(wanted.discount_id)
    usual = known.start_time if known is not None else now
    begins = usual if start is None else check_instant("start_time", start)
    if wanted.end_time is not None:
        check_instant("end_time", wanted.end_time, after=begins)
    grant = replace(wanted, start_time=begins, create_time=known.create_time if known is not None else now)
    if known is None:
        await work.discounts.put(grant)
        return grant
    if replace(known, end_time=grant.end_time) != grant:
        raise ConflictError(discount_id=grant.discount_id)
    return known


async def end_discount(work: BillingWork, account_id: str, discount_id: str, *, now: int) -> DiscountGrant:
    """Let a discount end now; what it took off stays off. Again it changes nothing.

    Raises:
        DiscountNotFoundError: the account has no such discount.
    """
    await known_account(work, account_id)
    known = await work.discounts.get(discount_id)
    if known is None or known.account_id != account_id:
        raise DiscountNotFoundError(discount_id=discount_id)
    if known.end_time is not None and known.end_time <= now:
        return known
    ended = replace(known, end_time=now)
    await work.discounts.put(ended)
    return ended


async def create_referral(work: BillingWork, wanted: Referral, *, now: int) -> Referral:
    """Note who brought an account that pays for the first time yet; the same once more changes nothing.

    Raises:
        InvalidFieldError: it is its own referrer, it was charged already, or it is no amount above 0.
        AccountNotFoundError: there is no such account.
        ConflictError: another one brought it, or for another amount.
    """
    check_amount(wanted.amount, wanted.currency)
    await known_account(work, wanted.referrer_id)
    await known_account(work, wanted.referee_id)
    if wanted.referrer_id == wanted.referee_id:
        expected = "another account than the one that referred it"
        raise InvalidFieldError(field="referee_account_id", expected=expected, got=wanted.referee_id)
    known = await work.discounts.referral(wanted.referee_id)
    if known is not None:
        if (known.referrer_id, known.currency, known.amount) != (wanted.referrer_id, wanted.currency, wanted.amount):
            raise ConflictError(referee_account_id=wanted.referee_id)
        return known
    query = InvoiceQuery(limit=_A_PAGE, account_id=wanted.referee_id)
    issued = await work.invoices.list(query)
    if any(each.kind is not InvoiceKind.CREDIT_NOTE and each.total > 0 for each in issued):
        expected = "an account that was charged nothing yet"
        raise InvalidFieldError(field="referee_account_id", expected=expected, got=wanted.referee_id)
    referral = replace(wanted, create_time=now)
    await work.discounts.put_referral(referral)
    return referral
