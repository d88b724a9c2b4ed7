"""What others are told of what happened, each of it once: of documents, payments, subscriptions. No clock, no I/O."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from tallygate.domain.billing.balances import Balance, InvoiceState
from tallygate.domain.billing.disputes import Dispute
from tallygate.domain.billing.documents import Invoice, InvoiceKind
from tallygate.domain.billing.gateway_events import DisputeState
from tallygate.domain.billing.payments import Attempt, AttemptState, Cause, Payment, PaymentKind
from tallygate.domain.billing.refunds import Refund
from tallygate.domain.billing_terms import CreatedWhen
from tallygate.domain.catalog import TrialEnd
from tallygate.domain.currency import decimals_of


class MessageKind(StrEnum):
    """What a message is of; the part before the dot says what it is about."""

    INVOICE_CREATED = "invoice.created"
    INVOICE_PAID = "invoice.paid"
    INVOICE_PAYMENT_FAILED = "invoice.payment_failed"
    INVOICE_VOIDED = "invoice.voided"
    INVOICE_UNCOLLECTIBLE = "invoice.uncollectible"
    INVOICE_REOPENED = "invoice.reopened"
    INVOICE_DUE = "invoice.due"
    CREDIT_NOTE_CREATED = "credit_note.created"
    PAYMENT_SUCCEEDED = "payment.succeeded"
    PAYMENT_FAILED = "payment.failed"
    PAYMENT_PENDING = "payment.pending"
    PAYMENT_REFUNDED = "payment.refunded"
    PAYMENT_REFUND_FAILED = "payment.refund_failed"
    PAYMENT_DISPUTED = "payment.disputed"
    PAYMENT_DISPUTE_WON = "payment.dispute_won"
    PAYMENT_DISPUTE_LOST = "payment.dispute_lost"
    SUBSCRIPTION_CREATED = "subscription.created"
    SUBSCRIPTION_CHANGED = "subscription.changed"
    SUBSCRIPTION_RENEWED = "subscription.renewed"
    SUBSCRIPTION_CANCELED = "subscription.canceled"
    SUBSCRIPTION_TRIAL_ENDING = "subscription.trial_ending"
    SUBSCRIPTION_TRIAL_ENDED = "subscription.trial_ended"
    SUBSCRIPTION_EXPIRING = "subscription.expiring"
    SUBSCRIPTION_EXPIRED = "subscription.expired"
    METHOD_EXPIRING = "method.expiring"
    METHOD_MISSING = "method.missing"
    USAGE_LIMIT = "usage.limit"
    CHARGES_REJECTED = "charges.rejected"
    CHARGES_LIMIT_RAISED = "charges.limit_raised"
    DUNNING_PAST_DUE = "dunning.past_due"
    DUNNING_SUSPENDED = "dunning.suspended"
    DUNNING_CANCELED = "dunning.canceled"
    DUNNING_ENDED = "dunning.ended"


OF_DOCUMENTS = frozenset(kind for kind in MessageKind if kind.value.startswith(("invoice.", "credit_note.")))
"""Those whose body is a document, as GetInvoice answered it then."""


MAILED = frozenset(
    {
        MessageKind.INVOICE_CREATED,
        MessageKind.INVOICE_PAID,
        MessageKind.INVOICE_PAYMENT_FAILED,
        MessageKind.INVOICE_DUE,
        MessageKind.CREDIT_NOTE_CREATED,
        MessageKind.PAYMENT_PENDING,
        MessageKind.PAYMENT_REFUNDED,
        MessageKind.PAYMENT_REFUND_FAILED,
        MessageKind.SUBSCRIPTION_TRIAL_ENDING,
        MessageKind.SUBSCRIPTION_TRIAL_ENDED,
        MessageKind.SUBSCRIPTION_EXPIRING,
        MessageKind.SUBSCRIPTION_EXPIRED,
        MessageKind.METHOD_EXPIRING,
        MessageKind.METHOD_MISSING,
        MessageKind.USAGE_LIMIT,
        MessageKind.DUNNING_SUSPENDED,
        MessageKind.DUNNING_CANCELED,
    }
)
"""Those that the account itself is told, too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """Something that happened to an account: `about` makes it the only one of its kind.

    It keeps no personal data: of a document its id, and the balance that it had then. Without a `create_time` it is of
    when what happened took effect. One that may happen `again` has a name of its own each time.
    """

    kind: MessageKind
    about: str
    account_id: str
    create_time: int = 0
    invoice_id: str = ""
    balance: Balance | None = None
    facts: Mapping[str, str] = field(default_factory=dict)
    again: bool = False
    sequence: int = 0

    @property
    def message_id(self) -> str:
        """Its name, which exists once in a tenant."""
        return f"{self.kind.value}/{self.about}"


def is_mailed(message: Message) -> bool:
    """Whether the account itself is told of it.

    Of a charge that somebody asked for they know by its answer; that something is due at once its own letter says, and
    so does the subscription's that it ends with its trial.
    """
    facts = message.facts
    ends = message.kind is MessageKind.SUBSCRIPTION_TRIAL_ENDED and facts.get("on_end") == TrialEnd.NOTIFY
    known = facts.get("cause") == Cause.MANUAL or "due_at_issue" in facts or ends
    return message.kind in MAILED and not known


def arranged(messages: Sequence[Message], created: CreatedWhen) -> list[Message]:
    """What is told, where a tenant wants to be told of an invoice when it is issued, or not before it is paid."""
    if created is CreatedWhen.ISSUED:
        return list(messages)
    found: list[Message] = []
    for message in messages:
        if message.kind is MessageKind.INVOICE_PAID:
            found.append(replace(message, kind=MessageKind.INVOICE_CREATED, again=False))
        if message.kind is not MessageKind.INVOICE_CREATED:
            found.append(message)
    return found


class DeliveryState(StrEnum):
    """Where the delivery of a message stands: what is SKIPPED was not to be delivered, for a reason that is told."""

    WAITING = "waiting"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    SKIPPED = "skipped"


class Channel(StrEnum):
    """How a message goes out."""

    MAIL = "mail"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """How a message went out by one channel; `problem` is why not, `sent_until` until when somebody may be at it."""

    message_id: str
    channel: Channel
    state: DeliveryState = DeliveryState.WAITING
    attempts: int = 0
    problem: str = ""
    sent_until: int = 0
    create_time: int = 0
    update_time: int = 0


def of_issue(invoice: Invoice) -> Iterator[Message]:
    """What is told when a document is issued."""
    credit = invoice.kind is InvoiceKind.CREDIT_NOTE
    kind = MessageKind.CREDIT_NOTE_CREATED if credit else MessageKind.INVOICE_CREATED
    yield _of_invoice(kind, invoice.invoice_id, invoice.account_id, invoice.balance)
    if not credit and invoice.balance.state is InvoiceState.PAID:
        yield _of_invoice(MessageKind.INVOICE_PAID, invoice.invoice_id, invoice.account_id, invoice.balance)


_REACHED = {
    InvoiceState.OPEN: MessageKind.INVOICE_REOPENED,
    InvoiceState.PAID: MessageKind.INVOICE_PAID,
    InvoiceState.VOID: MessageKind.INVOICE_VOIDED,
    InvoiceState.UNCOLLECTIBLE: MessageKind.INVOICE_UNCOLLECTIBLE,
}


def of_balance(invoice_id: str, account_id: str, before: InvoiceState, balance: Balance) -> Iterator[Message]:
    """What is told when the balance of an invoice changes: where it stands now, if that is elsewhere."""
    if balance.state is not before and balance.state in _REACHED:
        yield _of_invoice(_REACHED[balance.state], invoice_id, account_id, balance, again=True)


def of_attempt(attempt: Attempt) -> Iterator[Message]:
    """What is told of an attempt; of one that never arrived at its gateway nothing, for nothing was tried."""
    kinds = {
        AttemptState.SUCCEEDED: MessageKind.PAYMENT_SUCCEEDED,
        AttemptState.FAILED: MessageKind.PAYMENT_FAILED,
        AttemptState.PENDING: MessageKind.PAYMENT_PENDING,
    }
    if attempt.state not in kinds or attempt.reason == NEVER_ARRIVED:
        return
    yield Message(
        kind=kinds[attempt.state],
        about=attempt.attempt_id,
        account_id=attempt.account_id,
        facts={
            "attempt_id": attempt.attempt_id,
            "amount": major(attempt.amount, attempt.currency),
            "currency": attempt.currency,
            "cause": attempt.cause.value,
            "invoice_ids": " ".join(share.invoice_id for share in attempt.shares),
            "method_id": attempt.method_id,
            **({"reason": attempt.reason} if attempt.reason else {}),
            **({"next_action_url": attempt.next_action_url} if attempt.next_action_url else {}),
        },
    )


NEVER_ARRIVED = "never_arrived"
"""The reason of an attempt that its gateway never heard of."""


def of_failure(attempt: Attempt, invoice_id: str, balance: Balance) -> Message:
    """What is told of an invoice that an attempt failed to be paid."""
    told = _of_invoice(MessageKind.INVOICE_PAYMENT_FAILED, invoice_id, attempt.account_id, balance)
    return Message(
        kind=told.kind,
        about=f"{invoice_id}/{attempt.attempt_id}",
        account_id=told.account_id,
        invoice_id=invoice_id,
        balance=balance,
        facts={"attempt_id": attempt.attempt_id, "reason": attempt.reason, "cause": attempt.cause.value},
    )


def of_payment(payment: Payment) -> Iterator[Message]:
    """What is told of money that came past every gateway; of others their attempt says it."""
    if payment.kind is PaymentKind.OFFLINE:
        yield Message(
            kind=MessageKind.PAYMENT_SUCCEEDED,
            about=payment.payment_id,
            account_id=payment.account_id,
            facts={
                "payment_id": payment.payment_id,
                "amount": major(payment.amount, payment.currency),
                "currency": payment.currency,
                "cause": payment.kind.value,
                "invoice_ids": " ".join(share.invoice_id for share in payment.shares if share.invoice_id),
            },
        )


def of_refund(refund: Refund) -> Iterator[Message]:
    """What is told of money that went back, or did not."""
    kinds = {
        AttemptState.SUCCEEDED: MessageKind.PAYMENT_REFUNDED,
        AttemptState.FAILED: MessageKind.PAYMENT_REFUND_FAILED,
    }
    if refund.state in kinds:
        yield Message(
            kind=kinds[refund.state],
            about=refund.refund_id,
            account_id=refund.account_id,
            facts={
                "refund_id": refund.refund_id,
                "amount": major(refund.amount, refund.currency),
                "currency": refund.currency,
                "way": refund.kind.value,
                "invoice_id": refund.invoice_id,
                "credit_note_id": refund.note_id,
                **({"payment_id": refund.payment_id} if refund.payment_id else {}),
                **({"reason": refund.reason} if refund.reason else {}),
            },
        )


def of_dispute(dispute: Dispute) -> Message:
    """What is told of a dispute: where it stands now."""
    kinds = {
        DisputeState.OPENED: MessageKind.PAYMENT_DISPUTED,
        DisputeState.WON: MessageKind.PAYMENT_DISPUTE_WON,
        DisputeState.LOST: MessageKind.PAYMENT_DISPUTE_LOST,
    }
    return Message(
        kind=kinds[dispute.state],
        about=f"{dispute.gateway}/{dispute.dispute_id}",
        account_id=dispute.account_id,
        facts={
            "dispute_id": dispute.dispute_id,
            "payment_id": dispute.payment_id,
            "amount": major(dispute.amount, dispute.currency),
            "fee": major(dispute.fee, dispute.currency),
            "currency": dispute.currency,
            "invoice_ids": " ".join(share.invoice_id for share in dispute.shares if share.invoice_id),
            **({"reason": dispute.reason} if dispute.reason else {}),
        },
    )


def major(amount: int, currency: str) -> str:
    """Minor units as exact decimal text of major ones, with all decimals of the currency."""
    decimals = decimals_of(currency)
    whole, rest = divmod(abs(amount), 10**decimals)
    sign = "-" if amount < 0 else ""
    return f"{sign}{whole}.{rest:0{decimals}}" if decimals else f"{sign}{whole}"


def priced(amount: int, currency: str) -> str:
    """An amount of minor units as it is told: 29.00 USD."""
    return f"{major(amount, currency)} {currency}"


def _of_invoice(
    kind: MessageKind, invoice_id: str, account_id: str, balance: Balance, *, again: bool = False
) -> Message:
    return Message(
        kind=kind, about=invoice_id, account_id=account_id, invoice_id=invoice_id, balance=balance, again=again
    )
