"""Fees and their offsets: asked for once, charged once, corrected only by another."""

from dataclasses import dataclass, replace
from fractions import Fraction

from tallygate.domain.billing.amounts import LARGEST
from tallygate.domain.billing.balances import InvoiceState
from tallygate.domain.billing.fees import Fee
from tallygate.domain.billing.messages import priced
from tallygate.domain.billing_terms import TaxPolicy
from tallygate.domain.currency import decimals_of
from tallygate.domain.errors import (
    BillingNotStartedError,
    ConflictError,
    FeeNotFoundError,
    InvalidFieldError,
    InvoiceFinalError,
)
from tallygate.domain.money import exact_text
from tallygate.domain.period import UsagePeriod
from tallygate.records.fields import check_id
from tallygate.records.lookup import known_account
from tallygate.records.ports import BillingWork, NewId
from tallygate.records.wording import differs

_LONGEST_TEXT = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateFee:
    """A fee to create; `exact` is in minor units. An id of the caller's own makes repeating it change nothing.

    `field` is what said the amount, for what is wrong with it.
    """

    account_id: str
    currency: str
    text: str
    exact: Fraction
    quantity: Fraction = Fraction(1)
    unit_amount: str = ""
    tax_category: str = ""
    fee_id: str = ""
    period: UsagePeriod | None = None
    field: str = "amount"


async def create_fee(work: BillingWork, request: CreateFee, *, now: int, new_id: NewId) -> Fee:
    """Create a fee, which the account's next invoice charges.

    Raises:
        InvalidFieldError: a field is wrong.
        AccountNotFoundError: there is no such account.
        ConflictError: another fee has this id.
        BillingNotStartedError: the tenant does not bill, so that no invoice would take it.
    """
    _check_text(request.text)
    if not request.exact or abs(request.exact) > LARGEST:
        expected = f"an amount other than 0, of at most {priced(LARGEST, request.currency)}"
        raise InvalidFieldError(field=request.field, expected=expected)
    await known_account(work, request.account_id)
    await _check_currency(work, request)
    policy = (await work.catalog.load()).billing
    if policy is None:
        raise BillingNotStartedError
    _check_category(request.tax_category, policy.tax)
    fee = Fee(
        fee_id=request.fee_id or f"fee_{new_id()}",
        account_id=request.account_id,
        create_time=now,
        currency=request.currency,
        text=request.text,
        exact=request.exact,
        quantity=request.quantity,
        unit_amount=request.unit_amount,
        tax_category=request.tax_category,
        period=request.period,
    )
    return await _add(work, fee)


async def offset_fee(work: BillingWork, fee_id: str, *, text: str, offset_id: str, now: int, new_id: NewId) -> Fee:
    """Take a fee back by another one of the opposite amount; doing it again answers the same one.

    Raises:
        FeeNotFoundError: there is none with this id.
        ConflictError: another fee has the offset's id.
        InvalidFieldError: it is an offset itself.
        InvoiceFinalError: the invoice that charged it is void: it was forgiven.
    """
    fee = await work.fees.get(fee_id)
    if fee is None:
        raise FeeNotFoundError(fee_id=fee_id)
    if fee.offsets:
        raise InvalidFieldError(field="fee_id", expected="a fee that is no offset itself", got=fee_id)
    known = await work.fees.offset_of(fee_id)
    if known is not None:
        return known
    for void in await work.issued_lines.forgiven(fee.account_id):
        if not void.reissued and fee.line_key in void.line_keys:
            raise InvoiceFinalError(invoice_id=void.invoice_id, state=InvoiceState.VOID.value)
    _check_text(text or fee.text)
    offset = replace(
        fee,
        fee_id=offset_id or f"fee_{new_id()}",
        create_time=now,
        text=text or f"Offset: {fee.text}"[:_LONGEST_TEXT],
        exact=-fee.exact,
        offsets=fee_id,
    )
    return await _add(work, offset)


async def _add(work: BillingWork, fee: Fee) -> Fee:
    check_id("fee_id", fee.fee_id)
    known = await work.fees.get(fee.fee_id)
    if known is None:
        await work.fees.add(fee)
        return fee
    if replace(known, create_time=fee.create_time) != fee:
        raise ConflictError(fee_id=fee.fee_id, differs=differs(_told(known), _told(fee)))
    return known


def _told(fee: Fee) -> dict[str, str]:
    """What a caller says of a fee."""
    return {
        "account_id": fee.account_id,
        "text": fee.text,
        "quantity": exact_text(fee.quantity),
        "unit_amount": fee.unit_amount,
        "amount": f"{exact_text(fee.exact / 10 ** decimals_of(fee.currency))} {fee.currency}",
        "tax_category": fee.tax_category,
        "offsets": fee.offsets,
    }


def _check_text(text: str) -> None:
    if not 1 <= len(text) <= _LONGEST_TEXT or not text.isprintable():
        raise InvalidFieldError(field="text", expected=f"1 to {_LONGEST_TEXT} printable characters")


def _check_category(category: str, tax: TaxPolicy | None) -> None:
    known = sorted({rate.category for rate in tax.rates} - {""}) if tax is not None else []
    if category and category not in known:
        expected = f"a category of a rate in billing.tax.rates: {', '.join(known) or 'there is none'}"
        raise InvalidFieldError(field="tax_category", expected=expected, got=ascii(category[:48]))


async def _check_currency(work: BillingWork, request: CreateFee) -> None:
    own, named = (await work.tenants.get()).currency, request.currency
    if named != own:
        field = f"{request.field}.currency_code"
        raise InvalidFieldError(field=field, expected=f"the tenant's currency, {own}", got=named)
