"""Coupons, wire to domain and back."""

from tallygate.billing.coupons import CreateCoupon
from tallygate.domain.billing.advance import Option
from tallygate.domain.billing.discounts import Coupon, DiscountGrant, DiscountTerms, DiscountType
from tallygate.domain.billing.referrals import Referral
from tallygate.domain.currency import minor_units
from tallygate.domain.errors import InvalidFieldError
from tallygate.domain.money import exact_text
from tallygate.domain.prices import exact
from tallygate.server.wire.invoice import encode_money
from tallygate.server.wire.plan import texts
from tallygate.server.wire.price import decimal
from tallygate.server.wire.scalars import (
    identifier,
    optional_identifier,
    optional_instant,
    optional_quantity,
    quantity,
    timestamp,
)
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
        provider=optional_identifier(coupon.provider, f"{path}.provider"),
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
            provider=coupon.provider,
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


def decode_grant(discount: wire.Discount, new_id: str) -> tuple[DiscountGrant, int | None]:
    """A discount to agree, under a new id where it names none, and from when on (None: now)."""
    type_, value, currency = _decode_off(discount, "discount")
    terms = DiscountTerms(
        type=type_,
        value=value,
        currency=currency,
        plans=texts(discount.plan_keys, "discount.plan_keys"),
        features=texts(discount.feature_keys, "discount.feature_keys"),
        invoices=None,
    )
    grant = DiscountGrant(
        discount_id=optional_identifier(discount.discount_id, "discount.discount_id") or f"dis_{new_id}",
        account_id=identifier(discount.account_id, "discount.account_id"),
        text=discount.text,
        terms=terms,
        start_time=0,
        end_time=optional_instant(discount, "end_time"),
    )
    return grant, optional_instant(discount, "start_time")


def encode_grant(grant: DiscountGrant) -> wire.Discount:
    """A discount as it is kept."""
    terms, percentage = grant.terms, grant.terms.type is DiscountType.PERCENTAGE
    return wire.Discount(
        discount_id=grant.discount_id,
        account_id=grant.account_id,
        text=grant.text,
        percent_off=terms.value if percentage else None,
        amount_off=None if percentage else _encode_major(terms.value, terms.currency),
        plan_keys=terms.plans,
        feature_keys=terms.features,
        start_time=timestamp(grant.start_time),
        end_time=timestamp(grant.end_time),
        create_time=timestamp(grant.create_time),
    )


def encode_referral(referral: Referral) -> wire.Referral:
    """A referral as it is kept."""
    return wire.Referral(
        referrer_account_id=referral.referrer_id,
        referee_account_id=referral.referee_id,
        amount=encode_money(referral.amount, referral.currency),
        create_time=timestamp(referral.create_time),
        invoice_id=referral.invoice_id,
        earn_time=timestamp(referral.earn_time),
        return_time=timestamp(referral.return_time),
    )


def _decode_off(discount: wire.Coupon | wire.Discount, path: str) -> tuple[DiscountType, str, str]:
    """What is off: its type, its value, and the currency of an amount."""
    kind = discount.WhichOneof("off")
    if kind is None:
        raise InvalidFieldError(field=f"{path}.off", expected="percent_off or amount_off")
    if kind == "percent_off":
        return DiscountType.PERCENTAGE, decimal(discount.percent_off, f"{path}.percent_off"), ""
    money = discount.amount_off
    value = exact_text(money.units + exact(f"{money.nanos}e-{_NANOS}"))
    return DiscountType.AMOUNT, value, money.currency_code


def _decode_terms(coupon: wire.Coupon, path: str) -> DiscountTerms:
    type_, value, currency = _decode_off(coupon, path)
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
