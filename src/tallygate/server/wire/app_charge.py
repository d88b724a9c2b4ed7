"""Charges that apps tell, domain to wire."""

from tallygate.billing.asking_apps import AskedLimit, ShownCharges
from tallygate.domain.billing.app_charges import ChargeRun, RejectReason, RunState
from tallygate.server.wire.invoice import encode_money
from tallygate.server.wire.scalars import WireEnum, timestamp
from tallygate_api.v1 import charge_service_pb2 as wire

_REASON = WireEnum(wire.RejectReason, RejectReason)
_STATE = WireEnum(wire.ChargeRunState, RunState)


def encode_limit(limit: AskedLimit) -> wire.ChargeLimit:
    """What an app may charge."""
    money = encode_money(limit.amount, limit.currency) if limit.amount is not None else None
    return wire.ChargeLimit(subscription_id=limit.subscription_id, limit=money)


def encode_shown(shown: ShownCharges) -> wire.ListChargesResponse:
    """What an app charges so far."""
    run, limit = shown.run, shown.limit
    return wire.ListChargesResponse(
        charges=[
            wire.AppCharge(
                charge_id=charge.charge_id, amount=encode_money(charge.amount, run.currency), text=charge.text
            )
            for charge in shown.seen.charges
        ],
        total=encode_money(shown.seen.total, run.currency),
        limit=wire.ChargeLimit(
            subscription_id=run.subscription_id,
            limit=encode_money(limit.amount, limit.currency) if limit is not None else None,
        ),
        period_start=timestamp(run.period_start),
        period_end=timestamp(shown.end),
        reasons=[_REASON.encode(reason) for reason in shown.seen.reasons],
        product_key=run.product_key,
    )


def encode_run(run: ChargeRun) -> wire.ChargeRun:
    """What became of a period's charges."""
    return wire.ChargeRun(
        subscription_id=run.subscription_id,
        product_key=run.product_key,
        period_start=timestamp(run.period_start),
        period_end=timestamp(run.period_end),
        state=_STATE.encode(run.state),
        total=encode_money(run.total, run.currency),
        reasons=[_REASON.encode(reason) for reason in run.reasons],
        attempts=run.attempts,
        update_time=timestamp(run.update_time),
        next_time=timestamp(run.next_time) if run.state is not RunState.ACCEPTED else None,
    )
