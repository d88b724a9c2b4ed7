"""Bills that come again, wire to domain and back."""

from tallygate.domain.billing.recurring_bills import BillPeriod, RecurringBill, RecurringState
from tallygate.server.wire.invoice import encode_money
from tallygate.server.wire.partner import decode_own_money
from tallygate.server.wire.scalars import (
    WireEnum,
    identifier,
    optional_identifier,
    optional_instant,
    optional_quantity,
    timestamp,
)
from tallygate_api.v1 import partner_service_pb2 as wire

_PERIOD = WireEnum(wire.BillPeriod, BillPeriod, default=BillPeriod.MONTH)
_STATE = WireEnum(wire.RecurringBillState, RecurringState)


def decode_recurring(bill: wire.RecurringBill, currency: str) -> RecurringBill:
    """One to submit, in the tenant's currency; where it says that it stands is not looked at."""
    initial = decode_own_money(bill.initial, "bill.initial", currency) if bill.HasField("initial") else 0
    return RecurringBill(
        recurring_bill_id=optional_identifier(bill.recurring_bill_id, "bill.recurring_bill_id"),
        provider=identifier(bill.provider, "bill.provider"),
        account_id=identifier(bill.account_id, "bill.account_id"),
        text=bill.text,
        currency=currency,
        price=decode_own_money(bill.price, "bill.price", currency),
        period=_PERIOD.decode(bill.period, "bill.period"),
        frequency=bill.frequency or 1,
        cycles=optional_quantity(bill, "cycles", at_least=1, path="bill"),
        start_time=optional_instant(bill, "start_time") or 0,
        initial=initial,
    )


def encode_recurring(bill: RecurringBill) -> wire.RecurringBill:
    """One as it is kept."""
    return wire.RecurringBill(
        recurring_bill_id=bill.recurring_bill_id,
        provider=bill.provider,
        account_id=bill.account_id,
        text=bill.text,
        price=encode_money(bill.price, bill.currency),
        period=_PERIOD.encode(bill.period),
        frequency=bill.frequency,
        cycles=bill.cycles,
        start_time=timestamp(bill.start_time),
        initial=encode_money(bill.initial, bill.currency) if bill.initial else None,
        state=_STATE.encode(bill.state),
        made=bill.made,
        create_time=timestamp(bill.create_time),
        cancel_time=timestamp(bill.cancel_time),
    )


def decode_recurring_state(request: wire.ListRecurringBillsRequest) -> RecurringState | None:
    """Which ones a list is of; None: all."""
    return _STATE.decode(request.state, "state") if request.state else None
