"""What is written to an account of what happened to it, as text and as a page."""

import json
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from tallygate.domain.billing.documents import Invoice
from tallygate.domain.billing.mail import Letter, one_line
from tallygate.domain.billing.messages import Message, MessageKind
from tallygate.domain.catalog import TrialEnd
from tallygate.rendering.html import page
from tallygate.rendering.languages import Language, language
from tallygate.rendering.sheet import Row, Sheet, sheet

if TYPE_CHECKING:
    from jinja2 import Template

_WHOLE = frozenset({MessageKind.INVOICE_CREATED, MessageKind.CREDIT_NOTE_CREATED})
"""Those whose letter is the document itself."""


def letter_of(message: Message, invoice: Invoice | None, seller: str, locale: str) -> Letter:
    """What is written of a message in the language of a locale: the document where it is new, else what happened.

    A document stays in the language in which it was issued.
    """
    words = language(locale or "en")
    shown = sheet(invoice, words.tag) if invoice is not None else None
    said = _Said({**message.facts, **_counted(message, words), **(_document(shown, words) if shown else {})})
    texts = _texts()[words.locale.language]
    written = texts[message.kind.value]
    subject = written["subject"].format_map(said)
    subject = one_line(texts["from"].format(subject=subject, seller=seller) if seller else subject)
    if invoice is not None and shown is not None and brings_document(message):
        return Letter(subject=subject, text=_text(sheet(invoice)), html=page(invoice).decode())
    text = written["over" if _is_over(message) else "text"].format_map(said)
    html = _template().render(title=subject, paragraphs=[text], seller=seller, language=words.tag)
    return Letter(subject=subject, text=f"{text}\n", html=html)


def brings_document(message: Message) -> bool:
    """Whether the letter of a message is a document itself."""
    return message.kind in _WHOLE


def _is_over(message: Message) -> bool:
    """Whether a subscription has ended with its trial: then there is no plan that it goes on with."""
    return message.kind is MessageKind.SUBSCRIPTION_TRIAL_ENDED and message.facts.get("on_end") == TrialEnd.NOTIFY


def _counted(message: Message, words: Language) -> Mapping[str, str]:
    """How far ahead it is in words, whose forms depend on the number."""
    days = message.facts.get("days", "")
    return {"in_days": words.in_days(int(days))} if days else {}


class _Said(dict[str, str]):
    """What a text may name; what is not known is left out."""

    def __missing__(self, key: str) -> str:
        return ""


def _document(shown: Sheet, words: Language) -> Mapping[str, str]:
    sums = dict(shown.sums)
    return {"number": shown.number, "total": f"{sums[words['total']]} {shown.currency}", "due": shown.due[1]}


def _text(shown: Sheet) -> str:
    """A document for who reads no pages."""
    facts = [f"{label}: {value}" for label, value in shown.facts]
    rows = [told for row in shown.rows for told in _row(row)]
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


def _row(row: Row) -> Iterator[str]:
    yield f"{row.text}, {row.period}: {row.amount}"
    yield from (f"  {off.text}: {off.amount}" for off in row.discounts)


@cache
def _texts() -> dict[str, Any]:
    """By language: how a seller signs, and each message's subject and text."""
    text = resources.files(__package__).joinpath("letters.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


@cache
def _template() -> "Template":
    from jinja2 import Environment, StrictUndefined  # noqa: PLC0415 - only who writes a letter pays for it

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    source = resources.files(__package__).joinpath("letter.html").read_text(encoding="utf-8")
    return environment.from_string(source)
