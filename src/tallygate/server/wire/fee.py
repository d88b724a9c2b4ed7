"""Fees, wire to domain and back."""

from fractions import Fraction
from typing import Any

from tallygate.billing.fees import CreateFee
from tallygate.domain.billing.fees import Fee
from tallygate.domain.currency import decimals_of, minor_units
from tallygate.domain.errors import InvalidFieldError
from tallygate.domain.money import Rounding, rounded
from tallygate.domain.payment_errors import CurrencyMismatchError
from tallygate.server.wire.invoice import encode_money
from tallygate.server.wire.price import decimal
from tallygate.server.wire.scalars import identifier, optional_identifier, timestamp
from tallygate_api.v1 import billing_service_pb2 as wire
from tallygate_api.v1 import invoice_pb2

_NANOS = 10**9


def decode_fee(request: wire.CreateFeeRequest, currency: str) -> CreateFee:
    """A fee to create; `currency` is the tenant's, of amounts that name none and of quantities."""
    quantity, unit_amount, field = Fraction(1), "", "amount"
    match request.WhichOneof("charge"):
        case "amount":
            whole, currency = decode_whole_money(request.amount, field, usual=currency)
            exact = Fraction(whole)
        case "quantity":
            field = "quantity.unit_amount"
            unit_amount = decimal(request.quantity.unit_amount, field)
            quantity = Fraction(decimal(request.quantity.quantity, "quantity.quantity"))
            if quantity < 1:
                raise InvalidFieldError(field="quantity.quantity", expected="1 or more", got=request.quantity.quantity)
            exact = minor_units(quantity * Fraction(unit_amount), currency)
        case "percent":
            field = "percent.of"
            of, currency = decode_money(request.percent.of, field, usual=currency)
            rate = Fraction(decimal(request.percent.rate, "percent.rate"))
            if not rate:
                raise InvalidFieldError(field="percent.rate", expected="more than 0", got=request.percent.rate)
            exact = of * rate / 100
        case _:
            raise InvalidFieldError(field="charge", expected="amount, quantity or percent")
    return CreateFee(
        account_id=identifier(request.account_id, "account_id"),
        fee_id=optional_identifier(request.fee_id, "fee_id"),
        text=request.text,
        currency=currency,
        exact=exact,
        quantity=quantity,
        unit_amount=unit_amount,
        tax_category=request.tax_category,
        field=field,
    )


def encode_fee(fee: Fee, rounding: Rounding) -> wire.Fee:
    """One fee, its amount as its line has it."""
    return wire.Fee(
        fee_id=fee.fee_id,
        account_id=fee.account_id,
        text=fee.text,
        amount=encode_money(rounded(fee.exact, rounding), fee.currency),
        create_time=timestamp(fee.create_time),
        offsets=fee.offsets,
        tax_category=fee.tax_category,
    )


def decode_whole_money(money: invoice_pb2.Money, path: str, *, usual: str = "") -> tuple[int, str]:
    """An amount in whole minor units, and its currency, the `usual` one where it names none."""
    exact, currency = decode_money(money, path, usual=usual)
    if exact.denominator != 1:
        raise InvalidFieldError(field=f"{path}.nanos", expected=f"no more decimals than {currency} has")
    return exact.numerator, currency


def optional_amount(request: Any, field: str, currency: str) -> int | None:  # noqa: ANN401 - any message with this field
    """An amount of something that has its currency, in whole minor units; None where it is absent.

    Raises:
        CurrencyMismatchError: it names another currency.
    """
    if not request.HasField(field):
        return None
    amount, named = decode_whole_money(getattr(request, field), field, usual=currency)
    if named != currency:
        raise CurrencyMismatchError(currency=named, expected=currency)
    return amount


def decode_money(money: invoice_pb2.Money, path: str, *, usual: str = "") -> tuple[Fraction, str]:
    """An amount in minor units, exactly, and its currency, the `usual` one where it names none."""
    currency = money.currency_code or usual
    decimals_of(currency, field=f"{path}.currency_code")
    mixed = money.units and money.nanos and (money.units < 0) is not (money.nanos < 0)
    if abs(money.nanos) >= _NANOS or mixed:
        expected = "-999,999,999 to 999,999,999, of the same sign as units"
        raise InvalidFieldError(field=f"{path}.nanos", expected=expected, got=money.nanos)
    return minor_units(money.units + Fraction(money.nanos, _NANOS), currency), currency
