"""Shares, bills and statements, wire to domain and back."""

from fractions import Fraction

from tallygate.billing.partners.statements import SharedInvoice, Statement
from tallygate.billing.partners.timeline import Step, StepState, TimelineEntry
from tallygate.domain.billing.bills import Bill, BillState
from tallygate.domain.billing.sharing import PartnerKind, Share, ShareKind, ShareRounding, ShareTerms
from tallygate.domain.errors import InvalidFieldError
from tallygate.domain.money import exact_text
from tallygate.server.wire.fee import decode_whole_money
from tallygate.server.wire.invoice import encode_money
from tallygate.server.wire.price import decimal
from tallygate.server.wire.scalars import WireEnum, identifier, optional_identifier, optional_instant, timestamp
from tallygate_api.v1 import partner_service_pb2 as wire
from tallygate_api.v1.invoice_pb2 import Money

_SHARE_KIND = WireEnum(wire.ShareKind, ShareKind)
_PARTNER_KIND = WireEnum(wire.PartnerKind, PartnerKind)
_ROUNDING = WireEnum(wire.ShareRounding, ShareRounding)
_STATE = WireEnum(wire.BillState, BillState)
_STEP = WireEnum(wire.TimelineStep, Step)
_STEP_STATE = WireEnum(wire.TimelineState, StepState)


def decode_share(share: wire.Share) -> ShareTerms:
    """What a share is of, without what is agreed of it."""
    return ShareTerms(
        kind=_SHARE_KIND.decode(share.kind, "share.kind"),
        provider=optional_identifier(share.provider, "share.provider"),
        account_id=optional_identifier(share.account_id, "share.account_id"),
        partner_id=optional_identifier(share.partner_account_id, "share.partner_account_id"),
    )


def decode_percent(share: wire.Share, field: str) -> str | None:
    """A part in per cent: None where it is absent, empty where there is to be none."""
    if not share.HasField(field):
        return None
    text: str = getattr(share, field)
    return decimal(text, f"share.{field}") if text else ""


def decode_fixed(share: wire.Share, currency: str) -> int | None:
    """A fixed amount in minor units of the tenant's currency; None where it is absent."""
    if not share.HasField("fixed_amount"):
        return None
    return decode_own_money(share.fixed_amount, "share.fixed_amount", currency)


def decode_rounding(share: wire.Share) -> ShareRounding | None:
    """How parts are rounded; None where it is not said."""
    return _ROUNDING.decode(share.rounding, "share.rounding") if share.rounding else None


def encode_share(terms: ShareTerms, currency: str) -> wire.Share:
    """A share as it stands."""
    return wire.Share(
        kind=_SHARE_KIND.encode(terms.kind),
        provider=terms.provider,
        account_id=terms.account_id,
        partner_account_id=terms.partner_id,
        proposed_percent=terms.proposed,
        accepted_percent=terms.accepted,
        fixed_amount=encode_money(terms.fixed, currency) if terms.fixed else None,
        rounding=_ROUNDING.encode(terms.rounding),
        start_time=timestamp(terms.start_time),
    )


def decode_bill(bill: wire.Bill, currency: str) -> Bill:
    """A bill to submit, in the tenant's currency; where it says that it stands is not looked at."""
    units = Fraction(decimal(bill.units, "bill.units")) if bill.units else Fraction(1)
    if not units:
        raise InvalidFieldError(field="bill.units", expected="more than 0", got=bill.units)
    return Bill(
        bill_id=optional_identifier(bill.bill_id, "bill.bill_id"),
        provider=identifier(bill.provider, "bill.provider"),
        account_id=identifier(bill.account_id, "bill.account_id"),
        text=bill.text,
        currency=currency,
        price=decode_own_money(bill.price, "bill.price", currency),
        units=units,
        third_party=bill.third_party,
        period_start=optional_instant(bill, "period_start"),
        period_end=optional_instant(bill, "period_end"),
    )


def encode_bill(bill: Bill) -> wire.Bill:
    """A bill as it is kept."""
    return wire.Bill(
        bill_id=bill.bill_id,
        provider=bill.provider,
        account_id=bill.account_id,
        text=bill.text,
        price=encode_money(bill.price, bill.currency),
        units=exact_text(bill.units),
        third_party=bill.third_party,
        state=_STATE.encode(bill.state),
        create_time=timestamp(bill.create_time),
        cancel_time=timestamp(bill.cancel_time),
        period_start=timestamp(bill.period_start),
        period_end=timestamp(bill.period_end),
    )


def decode_state(request: wire.ListBillsRequest) -> BillState | None:
    """Which bills a list is of; None: all."""
    return _STATE.decode(request.state, "state") if request.state else None


def encode_statement(statement: Statement) -> wire.Statement:
    """What a partner has of a run."""
    return wire.Statement(share=_encode_part(statement.share, statement.currency))


def encode_entry(entry: TimelineEntry) -> wire.TimelineEntry:
    """A step of a month's billing."""
    return wire.TimelineEntry(
        step=_STEP.encode(entry.step),
        day=entry.day.isoformat(),
        time=timestamp(entry.time),
        state=_STEP_STATE.encode(entry.state),
        documents=entry.documents,
        unpaid=entry.unpaid,
    )


def encode_shared(one: SharedInvoice) -> wire.SharedInvoice:
    """A document with what everybody has of it."""
    return wire.SharedInvoice(
        invoice_id=one.invoice_id,
        number=one.number,
        account_id=one.account_id,
        shares=[_encode_part(share, one.currency) for share in one.shares],
    )


def _encode_part(share: Share, currency: str) -> wire.PartnerShare:
    return wire.PartnerShare(
        kind=_PARTNER_KIND.encode(share.partner.kind),
        partner_id=share.partner.name,
        portfolio_amount=encode_money(share.base, currency),
        commission_amount=encode_money(share.amount, currency),
        non_commissionable_amount=encode_money(share.passed, currency),
    )


def decode_own_money(money: Money, field: str, currency: str) -> int:
    """An amount of 0 or more in whole minor units of the tenant's currency."""
    amount, named = decode_whole_money(money, field, usual=currency)
    if named != currency:
        raise InvalidFieldError(
            field=f"{field}.currency_code", expected=f"the tenant's currency, {currency}", got=named
        )
    if amount < 0:
        raise InvalidFieldError(field=field, expected="0 or more")
    return amount
