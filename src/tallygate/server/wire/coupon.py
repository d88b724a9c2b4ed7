"""Coupons, wire to domain and back."""

from tallygate.billing.coupons import CreateCoupon
from tallygate.domain.billing.advance import Option
from tallygate.domain.billing.discounts import Coupon, DiscountTerms, DiscountType
from tallygate.domain.currency import minor_units
from tallygate.domain.errors import InvalidFieldError
from tallygate.domain.money import exact_text
from tallygate.domain.prices import exact
from tallygate.server.wire.invoice import encode_money
from tallygate.server.wire.plan import texts
from tallygate.server.wire.price import decimal
from tallygate.server.wire.scalars import optional_instant, optional_quantity, quantity, timestamp
from tallygate_api.v1 import discount_service_pb2 as wire
from tallygate_api.v1.invoice_pb2 import Money

_NANOS = 9


def decode_coupon(request: wire.CreateCouponRequest) -> CreateCoupon:
    """A coupon to create."""
    coupon, path = request.coupon, "coupon"
    per_account = optional_quantity(coupon, "max_uses_per_account", at_least=1, path=path)
    return CreateCoupon(
        code=coupon.code,
        text=coupon.text,
        terms=_decode_terms(coupon, path),
        start_time=optional_instant(coupon, "start_time"),
        end_time=optional_instant(coupon, "end_time"),
        max_uses=optional_quantity(coupon, "max_uses", at_least=1, path=path),
        per_account=1 if per_account is None else per_account,
    )


def encode_coupon(coupon: Coupon) -> wire.Coupon:
    """A coupon as it is kept."""
    terms, off = coupon.terms, wire.Coupon()
    if terms.type is DiscountType.PERCENTAGE:
        off.percent_off = terms.value
    else:
        off.amount_off.CopyFrom(_encode_major(terms.value, terms.currency))
    if terms.invoices is None:
        off.forever = True
    else:
        off.invoices = terms.invoices
    off.MergeFrom(
        wire.Coupon(
            code=coupon.code,
            text=coupon.text,
            plan_keys=terms.plans,
            feature_keys=terms.features,
            start_time=timestamp(coupon.start_time),
            end_time=timestamp(coupon.end_time),
            max_uses=coupon.max_uses,
            max_uses_per_account=coupon.per_account,
            used=coupon.used,
            archived=coupon.archived,
            create_time=timestamp(coupon.create_time),
        )
    )
    return off


def encode_option(option: Option, currency: str) -> wire.PaymentOption:
    """A way to pay a plan."""
    return wire.PaymentOption(
        length=option.length,
        amount=_encode_major(option.amount, currency),
        full_amount=_encode_major(option.full_amount, currency),
        text=option.text,
    )


def _encode_major(amount: str, currency: str) -> Money:
    return encode_money(int(minor_units(exact(amount), currency)), currency)


def _decode_terms(coupon: wire.Coupon, path: str) -> DiscountTerms:
    kind = coupon.WhichOneof("off")
    if kind is None:
        raise InvalidFieldError(field=f"{path}.off", expected="percent_off or amount_off")
    if kind == "percent_off":
        type_, value, currency = DiscountType.PERCENTAGE, decimal(coupon.percent_off, f"{path}.percent_off"), ""
    else:
        money = coupon.amount_off
        type_, currency = DiscountType.AMOUNT, money.currency_code
        value = exact_text(money.units + exact(f"{money.nanos}e-{_NANOS}"))
    lasting = coupon.WhichOneof("duration")
    if lasting == "forever" and not coupon.forever:
        raise InvalidFieldError(field=f"{path}.forever", expected="true, or a number of invoices instead")
    count = quantity(coupon.invoices, f"{path}.invoices", at_least=1) if lasting == "invoices" else 1
    return DiscountTerms(
        type=type_,
        value=value,
        currency=currency,
        plans=texts(coupon.plan_keys, f"{path}.plan_keys"),
        features=texts(coupon.feature_keys, f"{path}.feature_keys"),
        invoices=None if lasting == "forever" else count,
    )
