"""Letters to accounts: what they say, and that nothing in them becomes another header, tag or recipient."""

from dataclasses import replace
from email import message_from_bytes
from email.policy import SMTP, default

import pytest

from documents import BUYER, INVOICE
from tallygate.domain.billing.mail import Letter, Mail, one_line, usable_address
from tallygate.domain.billing.messages import MAILED, Message, MessageKind
from tallygate.rendering.letters import letter_of
from tallygate.storage.mail import SmtpMailer

EVIL = "Evil\r\nBcc: all@example.com\r\n\r\n<script>alert(1)</script>"


def parsed(mail):
    sent = SmtpMailer(host="h", port=1, sender="billing@example.com").message(mail)
    return message_from_bytes(sent.as_bytes(policy=SMTP), policy=default)


def mail(**changes):
    letter = changes.pop("letter", Letter(subject="Invoice 1", text="Hello", html="<p>Hello</p>"))
    usual = {"to_address": "a@example.com", "to_name": "Acme", "from_name": "Shop", "reply_to": "", "time": 0}
    return Mail(identity="t/invoice.created/1", letter=letter, **{**usual, **changes})


@pytest.mark.parametrize("field", ["to_name", "from_name", "reply_to"])
def test_no_text_of_an_account_becomes_a_header(field):
    found = parsed(mail(**{field: EVIL}))
    assert "Bcc" not in found
    assert [str(one.addr_spec) for one in found["To"].addresses] == ["a@example.com"]
    assert [str(one.addr_spec) for one in found["From"].addresses] == ["billing@example.com"]


def test_no_subject_becomes_a_header_or_a_body():
    found = parsed(mail(letter=Letter(subject=EVIL, text="Hello", html="<p>Hello</p>")))
    assert "Bcc" not in found
    assert found["Subject"] == "Evil Bcc: all@example.com <script>alert(1)</script>"
    assert [part.get_content_type() for part in found.walk()] == ["multipart/alternative", "text/plain", "text/html"]


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("a@example.com", "a@example.com"),
        (" a.b+c@mail.example.com ", "a.b+c@mail.example.com"),
        ("a@b\u00fccher.example", "a@xn--bcher-kva.example"),
        ("", ""),
        ("nobody", ""),
        ("a@example.com\r\nBcc: b@example.com", ""),
        ("a@example.com, b@example.com", ""),
        ("a b@example.com", ""),
        ("<a@example.com>", ""),
        ("a@", ""),
        ("@example.com", ""),
        ("a@-example.com", ""),
        (f"{'a' * 65}@example.com", ""),
        (f"a@{'b' * 63}.{'c' * 63}.{'d' * 63}.{'e' * 63}", ""),
    ],
)
def test_an_address_is_one_address(text, address):
    assert usable_address(text) == address


def test_a_line_has_no_end_and_no_control_character():
    assert one_line("a\r\nb\x00c\u2028d\te ") == "a b c d e"
    assert one_line("x" * 999, longest=10) == "x" * 10


def test_the_same_letter_has_the_same_name_and_another_one_another():
    first, again = parsed(mail()), parsed(mail())
    assert first["Message-ID"] == again["Message-ID"]
    assert str(first["Message-ID"]).endswith("@example.com>")
    other = Mail(**{**{name: getattr(mail(), name) for name in Mail.__slots__}, "identity": "t/invoice.created/2"})
    assert parsed(other)["Message-ID"] != first["Message-ID"]


@pytest.mark.parametrize("kind", sorted(MAILED - {MessageKind.INVOICE_CREATED, MessageKind.CREDIT_NOTE_CREATED}))
def test_every_message_that_is_mailed_and_is_no_document_has_words(kind):
    said = letter_of(Message(kind=MessageKind(kind), about="1", account_id="acme"), None, "Shop")
    assert said.subject.endswith("from Shop")
    assert said.text.strip()


def test_a_letter_escapes_what_it_tells():
    facts = {"next_action_url": "https://bank.example/?a=1&b=<script>", "amount": "29.00", "currency": "USD"}
    message = Message(kind=MessageKind.PAYMENT_PENDING, about="1", account_id="acme", facts=facts)
    said = letter_of(message, None, "<b>Shop</b>")
    assert "https://bank.example/?a=1&amp;b=&lt;script&gt;" in said.html
    assert "<script>" not in said.html
    assert "<b>" not in said.html
    assert "29.00 USD waits for your confirmation: https://bank.example/?a=1&b=<script>" in said.text


def test_a_letter_is_in_english_and_the_document_in_it_in_its_buyers_language():
    invoice = replace(INVOICE, buyer=replace(BUYER, locale="de"))
    paid = letter_of(Message(kind=MessageKind.INVOICE_PAID, about="1", account_id="acme"), invoice, "Shop")
    assert paid.text == "Thank you: invoice INV-2026-000042 of 1,682.14 EUR is paid.\n"
    whole = letter_of(Message(kind=MessageKind.INVOICE_CREATED, about="1", account_id="acme"), invoice, "Shop")
    assert (whole.subject, whole.text.splitlines()[0]) == (
        "Invoice INV-2026-000042 from Shop",
        "Rechnung INV-2026-000042",
    )
