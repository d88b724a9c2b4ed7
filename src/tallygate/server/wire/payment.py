"""Payments, wire to domain and back."""

from collections.abc import Sequence
from urllib.parse import quote

from tallygate.billing.crediting import CreateCreditNote, LineCredit
from tallygate.billing.disputes import RecordDispute
from tallygate.billing.methods import AttachMethod
from tallygate.billing.paying import TopUp
from tallygate.billing.payments import Collected, Dunned, RecordOffline
from tallygate.billing.ports import Setup, SetupRequest
from tallygate.billing.reconciliation import Reconciled
from tallygate.billing.refunds import Refunded
from tallygate.billing.settlements import SettlementKind
from tallygate.domain.billing.disputes import Dispute
from tallygate.domain.billing.dunning import RetryObstacle
from tallygate.domain.billing.gateway_events import DisputeState
from tallygate.domain.billing.payments import (
    Advice,
    Attempt,
    AttemptState,
    Cause,
    Gateway,
    Method,
    Payment,
    PaymentKind,
    Share,
)
from tallygate.domain.billing.refunds import Refund, RefundKind
from tallygate.domain.errors import InvalidFieldError
from tallygate.records.gateway_events import Effect, EventQuery, ToldEvent
from tallygate.server.wire.billing_terms import COLLECTION, DUNNING_STATE
from tallygate.server.wire.fee import decode_whole_money, optional_amount
from tallygate.server.wire.invoice import encode_invoice, encode_money
from tallygate.server.wire.scalars import WireEnum, identifier, optional_identifier, timestamp
from tallygate_api.v1 import payment_service_pb2 as wire

_KIND = WireEnum(wire.PaymentKind, PaymentKind)
_STATE = WireEnum(wire.AttemptState, AttemptState)
_ADVICE = WireEnum(wire.AttemptAdvice, Advice)
_CAUSE = WireEnum(wire.AttemptCause, Cause)
_REFUND = WireEnum(wire.RefundKind, RefundKind)
_SETTLEMENT = WireEnum(wire.SettlementKind, SettlementKind)
_EFFECT = WireEnum(wire.GatewayEventState, Effect, hidden={Effect.REPEATED})
_DISPUTE = WireEnum(wire.DisputeState, DisputeState)
_OBSTACLE = WireEnum(wire.RetryObstacle, RetryObstacle)
_LONGEST_TOKEN = 255
_LONGEST_URL = 2_000


def decode_method(request: wire.AttachMethodRequest) -> AttachMethod:
    """A method to attach."""
    if not 0 < len(request.token) <= _LONGEST_TOKEN or not request.token.isprintable():
        raise InvalidFieldError(field="token", expected=f"1 to {_LONGEST_TOKEN} printable characters")
    return AttachMethod(
        account_id=identifier(request.account_id, "account_id"),
        method_id=optional_identifier(request.method_id, "method_id"),
        gateway=optional_identifier(request.gateway, "gateway"),
        token=request.token,
        default=request.default,
    )


def decode_top_up(request: wire.TopUpRequest, currency: str) -> TopUp:
    """Money to take for a wallet; `currency` is the tenant's, of an amount that names none."""
    amount, currency = decode_whole_money(request.amount, "amount", usual=currency)
    return TopUp(
        account_id=identifier(request.account_id, "account_id"),
        currency=currency,
        amount=amount,
        attempt_id=optional_identifier(request.attempt_id, "attempt_id"),
        method_id=optional_identifier(request.method_id, "method_id"),
    )


def decode_offline(request: wire.RecordOfflineRequest, currency: str) -> RecordOffline:
    """Money to record; `currency` is the tenant's, of an amount that names none."""
    amount, currency = decode_whole_money(request.amount, "amount", usual=currency)
    return RecordOffline(
        account_id=identifier(request.account_id, "account_id"),
        currency=currency,
        amount=amount,
        payment_id=optional_identifier(request.payment_id, "payment_id"),
        reference=request.reference,
        invoice_id=optional_identifier(request.invoice_id, "invoice_id"),
    )


def decode_refund(request: wire.RefundLineRequest, currency: str) -> CreateCreditNote:
    """A line to pay back; `currency` is its invoice's."""
    return CreateCreditNote(
        invoice=identifier(request.invoice_id, "invoice_id"),
        lines=(LineCredit(number=request.line, amount=optional_amount(request, "amount", currency)),),
        credit_id=optional_identifier(request.refund_id, "refund_id"),
        reason=request.reason,
    )


def encode_refunded(refunded: Refunded) -> wire.RefundLineResponse:
    """What became of money that was asked back."""
    return wire.RefundLineResponse(
        credit_note=encode_invoice(refunded.note),
        invoice=encode_invoice(refunded.invoice),
        refunds=[encode_refund(part) for part in refunded.parts],
    )


def encode_refund(refund: Refund) -> wire.Refund:
    """One part of it."""
    return wire.Refund(
        refund_id=refund.refund_id,
        account_id=refund.account_id,
        invoice_id=refund.invoice_id,
        credit_note_id=refund.note_id,
        payment_id=refund.payment_id,
        kind=_REFUND.encode(refund.kind),
        amount=encode_money(refund.amount, refund.currency),
        gateway=refund.gateway,
        state=_STATE.encode(refund.state),
        reason=refund.reason,
        gateway_id=refund.gateway_id,
        create_time=timestamp(refund.create_time),
        end_time=timestamp(refund.end_time),
    )


def decode_dispute(request: wire.RecordDisputeRequest, currency: str) -> RecordDispute:
    """A dispute to note; `currency` is the payment's."""
    return RecordDispute(
        payment_id=identifier(request.payment_id, "payment_id"),
        dispute_id=identifier(request.dispute_id, "dispute_id"),
        state=_DISPUTE.decode(request.state, "state") if request.state else DisputeState.OPENED,
        amount=optional_amount(request, "amount", currency),
        fee=optional_amount(request, "fee", currency),
        reason=request.reason,
    )


def encode_dispute(dispute: Dispute) -> wire.Dispute:
    """One dispute."""
    return wire.Dispute(
        dispute_id=dispute.dispute_id,
        gateway=dispute.gateway,
        payment_id=dispute.payment_id,
        account_id=dispute.account_id,
        amount=encode_money(dispute.amount, dispute.currency),
        fee=encode_money(dispute.fee, dispute.currency),
        state=_DISPUTE.encode(dispute.state),
        reason=dispute.reason,
        shares=_shares(dispute.shares, dispute.currency),
        create_time=timestamp(dispute.create_time),
        end_time=timestamp(dispute.end_time),
    )


def encode_gateway(gateway: Gateway, tenant_id: str) -> wire.Gateway:
    """A gateway that a tenant uses; of what is secret only the names."""
    return wire.Gateway(
        name=gateway.name,
        create_time=timestamp(gateway.create_time),
        credentials=gateway.secrets,
        webhook_path=f"/gateways/{quote(tenant_id, safe='')}/{gateway.name}",
    )


def return_url(text: str) -> str:
    """Where a payer comes back to, which their browser is sent to: https only."""
    if text and (not text.startswith("https://") or len(text) > _LONGEST_URL or not text.isprintable() or " " in text):
        raise InvalidFieldError(field="return_url", expected=f"an https URL of up to {_LONGEST_URL} characters")
    return text


def encode_setup(wanted: SetupRequest, gateway: str, setup: Setup) -> wire.BeginSetupResponse:
    """Where a method is left."""
    return wire.BeginSetupResponse(
        setup_id=wanted.key,
        gateway=gateway,
        gateway_id=setup.gateway_id,
        url=setup.url,
        client_secret=setup.client_secret,
        token=setup.token,
    )


def encode_method(method: Method) -> wire.PaymentMethod:
    """A method; its token stays here."""
    return wire.PaymentMethod(
        method_id=method.method_id,
        account_id=method.account_id,
        gateway=method.gateway,
        brand=method.brand,
        last4=method.last4,
        expiry_year=method.expiry_year,
        expiry_month=method.expiry_month,
        default=method.default,
        create_time=timestamp(method.create_time),
    )


def encode_attempt(attempt: Attempt) -> wire.PaymentAttempt:
    """One attempt."""
    return wire.PaymentAttempt(
        attempt_id=attempt.attempt_id,
        account_id=attempt.account_id,
        invoice_id=attempt.invoice_id,
        amount=encode_money(attempt.amount, attempt.currency),
        shares=_shares(attempt.shares, attempt.currency),
        gateway=attempt.gateway,
        method_id=attempt.method_id,
        text=attempt.text,
        cause=_CAUSE.encode(attempt.cause),
        state=_STATE.encode(attempt.state),
        advice=_ADVICE.encode(attempt.advice) if attempt.advice is not None else None,
        reason=attempt.reason,
        gateway_id=attempt.gateway_id,
        next_action_url=attempt.next_action_url,
        create_time=timestamp(attempt.create_time),
        end_time=timestamp(attempt.end_time),
    )


def encode_payment(payment: Payment) -> wire.Payment:
    """Money that came."""
    return wire.Payment(
        payment_id=payment.payment_id,
        account_id=payment.account_id,
        amount=encode_money(payment.amount, payment.currency),
        kind=_KIND.encode(payment.kind),
        shares=_shares(payment.shares, payment.currency),
        gateway=payment.gateway,
        gateway_id=payment.gateway_id,
        reference=payment.reference,
        create_time=timestamp(payment.create_time),
    )


def encode_collected(collected: Collected) -> wire.GetCollectionResponse:
    """How an account is collected."""
    return wire.GetCollectionResponse(
        collect=COLLECTION.encode(collected.collection),
        state=DUNNING_STATE.encode(collected.state) if collected.state is not None else None,
        cases=[_case(dunned) for dunned in collected.cases],
    )


def _case(dunned: Dunned) -> wire.DunningCase:
    case, (time, state) = dunned.case, dunned.worse or (None, None)
    return wire.DunningCase(
        currency_code=case.currency,
        start_time=timestamp(case.start_time),
        retries=dunned.retries,
        retry_time=timestamp(case.retry_time) if dunned.obstacle is None else None,
        state=DUNNING_STATE.encode(dunned.state) if dunned.state is not None else None,
        obstacle=_OBSTACLE.encode(dunned.obstacle) if dunned.obstacle is not None else None,
        next_state=DUNNING_STATE.encode(state) if state is not None else None,
        next_state_time=timestamp(time),
    )


def encode_reconciled(found: Reconciled) -> wire.ReconcileResponse:
    """What was compared."""
    return wire.ReconcileResponse(
        booked=found.booked,
        settled=found.settled,
        differences=[
            wire.SettlementDifference(
                gateway_id=one.gateway_id,
                booked=encode_money(one.booked, one.currency),
                settled=encode_money(one.settled, one.currency),
                kind=_SETTLEMENT.encode(one.kind),
                booked_fee=encode_money(one.booked_fee, one.currency),
                settled_fee=encode_money(one.settled_fee, one.currency),
            )
            for one in found.differences
        ],
        fees=[encode_money(amount, currency) for currency, amount in found.fees],
    )


def decode_events(request: wire.ListGatewayEventsRequest) -> EventQuery:
    """Which events are asked for."""
    return EventQuery(
        gateway=optional_identifier(request.gateway, "gateway"),
        effect=_EFFECT.decode(request.state, "state") if request.state else None,
        subject=optional_identifier(request.subject, "subject"),
    )


def encode_event(event: ToldEvent) -> wire.GatewayEvent:
    """What a gateway told."""
    return wire.GatewayEvent(
        gateway=event.gateway,
        event_id=event.event_id,
        kind=event.kind,
        state=_EFFECT.encode(event.effect),
        subject=event.subject,
        problem=event.problem,
        event_time=timestamp(event.time),
        create_time=timestamp(event.create_time),
    )


def _shares(shares: Sequence[Share], currency: str) -> list[wire.PaymentShare]:
    return [wire.PaymentShare(invoice_id=one.invoice_id, amount=encode_money(one.amount, currency)) for one in shares]
