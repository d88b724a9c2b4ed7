"""What is written to an account of what happened to it, as text and as a page."""

from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

from tallygate.domain.billing.documents import Invoice
from tallygate.domain.billing.mail import Letter, one_line
from tallygate.domain.billing.messages import Message, MessageKind
from tallygate.rendering.html import page
from tallygate.rendering.sheet import Sheet, sheet

if TYPE_CHECKING:
    from jinja2 import Template

_WHOLE = frozenset({MessageKind.INVOICE_CREATED, MessageKind.CREDIT_NOTE_CREATED})
"""Those whose letter is the document itself."""

_SUBJECTS: Mapping[MessageKind, str] = {
    MessageKind.INVOICE_CREATED: "Invoice {number}",
    MessageKind.CREDIT_NOTE_CREATED: "Credit note {number}",
    MessageKind.INVOICE_PAID: "Receipt for invoice {number}",
    MessageKind.INVOICE_PAYMENT_FAILED: "Payment of invoice {number} failed",
    MessageKind.INVOICE_DUE: "Invoice {number} is due",
    MessageKind.PAYMENT_PENDING: "A payment waits for you",
    MessageKind.SUBSCRIPTION_TRIAL_ENDING: "Your trial ends in {days} days",
    MessageKind.SUBSCRIPTION_TRIAL_ENDED: "Your trial has ended",
    MessageKind.SUBSCRIPTION_EXPIRING: "Your subscription ends in {days} days",
    MessageKind.SUBSCRIPTION_EXPIRED: "Your subscription has ended",
    MessageKind.METHOD_EXPIRING: "Your card expires soon",
    MessageKind.METHOD_MISSING: "Please add a method of payment",
    MessageKind.USAGE_LIMIT: "{percent} % of your {feature_key} are used",
    MessageKind.DUNNING_SUSPENDED: "Your account is suspended",
    MessageKind.DUNNING_CANCELED: "Your subscription was cancelled",
}
_SAYS: Mapping[MessageKind, str] = {
    MessageKind.INVOICE_PAID: "Thank you: invoice {number} of {total} is paid.",
    MessageKind.INVOICE_PAYMENT_FAILED: "We could not charge {due} for invoice {number}. "
    "Please look at your method of payment.",
    MessageKind.INVOICE_DUE: "Invoice {number} is due: {due} are to be paid.",
    MessageKind.PAYMENT_PENDING: "A payment of {amount} {currency} waits for your confirmation: {next_action_url}",
    MessageKind.SUBSCRIPTION_TRIAL_ENDING: "Your trial ends on {end_time}.",
    MessageKind.SUBSCRIPTION_TRIAL_ENDED: "Your trial has ended; plan {plan_key} is what you have now.",
    MessageKind.SUBSCRIPTION_EXPIRING: "Your subscription ends on {end_time} unless it is renewed.",
    MessageKind.SUBSCRIPTION_EXPIRED: "Your subscription has ended on {end_time}.",
    MessageKind.METHOD_EXPIRING: "Your {brand} card that ends in {last4} is not valid after its month. "
    "Please add another one.",
    MessageKind.METHOD_MISSING: "Your subscription is charged on {end_time}, and we know no method to charge.",
    MessageKind.USAGE_LIMIT: "{used} of {limit} {feature_key} were used before {end_time}.",
    MessageKind.DUNNING_SUSPENDED: "Your invoices were not paid, and your account is suspended until they are.",
    MessageKind.DUNNING_CANCELED: "Your invoices were not paid, and your subscription has ended. "
    "This is the last notice.",
}


def letter_of(message: Message, invoice: Invoice | None, seller: str) -> Letter:
    """What is written of a message: the document itself where it is new, else what happened to it."""
    shown = sheet(invoice, "en") if invoice is not None else None  # letters are in English, what they bring is not
    said = _Said({**message.facts, **(_document(shown) if shown is not None else {})})
    subject = _SUBJECTS[message.kind].format_map(said)
    subject = one_line(f"{subject} from {seller}" if seller else subject)
    if invoice is not None and shown is not None and message.kind in _WHOLE:
        return Letter(subject=subject, text=_text(sheet(invoice)), html=page(invoice).decode())
    text = _SAYS[message.kind].format_map(said)
    html = _template().render(title=subject, paragraphs=[text], seller=seller)
    return Letter(subject=subject, text=f"{text}\n", html=html)


class _Said(dict[str, str]):
    """What a text may name; what is not known is left out."""

    def __missing__(self, key: str) -> str:
        return ""


def _document(shown: Sheet) -> Mapping[str, str]:
    sums = dict(shown.sums)
    return {"number": shown.number, "total": f"{sums['Total']} {shown.currency}", "due": shown.due[1]}


def _text(shown: Sheet) -> str:
    """A document for who reads no pages."""
    facts = [f"{label}: {value}" for label, value in shown.facts]
    rows = [f"{row.text}, {row.period}: {row.amount}" for row in shown.rows]
    sums = [f"{label}: {value}" for label, value in (*shown.sums, shown.due)]
    parts = [
        [f"{shown.title} {shown.number}"],
        list(shown.seller),
        list(shown.buyer),
        facts,
        rows,
        sums,
        list(shown.notes),
    ]
    return "\n\n".join("\n".join(part) for part in parts if part) + "\n"


@cache
def _template() -> "Template":
    from jinja2 import Environment, StrictUndefined  # noqa: PLC0415 - only who writes a letter pays for it

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    source = resources.files(__package__).joinpath("letter.html").read_text(encoding="utf-8")
    return environment.from_string(source)
