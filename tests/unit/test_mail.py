"""Letters to accounts: what they say, and that nothing in them becomes another header, tag or recipient."""

import json
import re
from dataclasses import replace
from email import message_from_bytes
from email.policy import SMTP, default
from importlib import resources

import pytest

from documents import BUYER, INVOICE
from tallygate.domain.billing.mail import Letter, Mail, one_line, usable_address
from tallygate.domain.billing.messages import MAILED, Message, MessageKind
from tallygate.rendering.languages import LANGUAGES
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


@pytest.mark.parametrize("locale", LANGUAGES)
def test_every_message_that_is_mailed_has_words_in_every_language_of_the_same_facts(locale):
    """What a text names is the same in all of them, so that nothing is missing in one."""
    texts = json.loads(resources.files("tallygate.rendering").joinpath("letters.json").read_text("utf-8"))
    assert set(texts[locale]) == {kind.value for kind in MAILED} | {"from"}
    for kind in MAILED:
        named = [sorted(re.findall(r"{\w+}", json.dumps(texts[one][kind.value]))) for one in ("en", locale)]
        assert named[0] == named[1], kind
    for kind in MAILED - {MessageKind.INVOICE_CREATED, MessageKind.CREDIT_NOTE_CREATED}:
        said = letter_of(Message(kind=kind, about="1", account_id="acme"), None, "Shop", locale)
        assert "Shop" in said.subject
        assert said.text.strip()
        assert f'lang="{locale}"' in said.html


def test_a_letter_escapes_what_it_tells():
    facts = {"next_action_url": "https://bank.example/?a=1&b=<script>", "amount": "29.00", "currency": "USD"}
    message = Message(kind=MessageKind.PAYMENT_PENDING, about="1", account_id="acme", facts=facts)
    said = letter_of(message, None, "<b>Shop</b>", "")
    assert "https://bank.example/?a=1&amp;b=&lt;script&gt;" in said.html
    assert "<script>" not in said.html
    assert "<b>" not in said.html
    assert "29.00 USD waits for your confirmation: https://bank.example/?a=1&b=<script>" in said.text


@pytest.mark.parametrize(
    ("locale", "goes_on", "over"),
    [
        (
            "en",
            "Your trial has ended; plan pro is what you have now.",
            "Your trial has ended, and your subscription too.",
        ),
        (
            "de",
            "Ihre Probezeit ist zu Ende; Sie haben jetzt den Tarif pro.",
            "Ihre Probezeit ist zu Ende und Ihr Abonnement auch.",
        ),
        (
            "fr",
            "Votre essai est terminé ; vous avez maintenant l'offre pro.",
            "Votre essai est terminé, et votre abonnement aussi.",
        ),
        ("es", "Su prueba ha terminado; ahora tiene el plan pro.", "Su prueba ha terminado, y su suscripción también."),
        ("ja", "試用期間が終了しました。現在のプランは pro です。", "試用期間が終了し、ご契約も終了しました。"),
    ],
)
def test_a_letter_says_what_follows_a_trial(locale, goes_on, over):
    for facts, text in (({"on_end": "convert", "plan_key": "pro"}, goes_on), ({"on_end": "notify"}, over)):
        ended = Message(kind=MessageKind.SUBSCRIPTION_TRIAL_ENDED, about="1", account_id="acme", facts=facts)
        assert letter_of(ended, None, "", locale).text == f"{text}\n"


@pytest.mark.parametrize(
    ("locale", "trial", "subscription"),
    [
        ("en", ("ends in 1 day", "ends in 7 days"), ("ends in 1 day", "ends in 90 days")),
        ("de", ("endet in 1 Tag", "endet in 7 Tagen"), ("endet in 1 Tag", "endet in 90 Tagen")),
        ("fr", ("se termine dans 1 jour", "dans 7 jours"), ("se termine dans 1 jour", "dans 90 jours")),
        ("es", ("termina dentro de 1 día", "de 7 días"), ("termina dentro de 1 día", "de 90 días")),
        ("ja", ("1 日後に終了します", "7 日後に"), ("1 日後に終了します", "90 日後に")),
    ],
)
def test_a_letter_counts_as_its_language_does(locale, trial, subscription):
    def subject(kind, days):
        facts = {"days": days, "end_time": "2026-03-31T22:00:00Z"}
        return letter_of(Message(kind=kind, about="1", account_id="acme", facts=facts), None, "", locale).subject

    for number, told in zip(("1", "7"), trial, strict=True):
        assert told in subject(MessageKind.SUBSCRIPTION_TRIAL_ENDING, number)
    for number, told in zip(("1", "90"), subscription, strict=True):
        assert told in subject(MessageKind.SUBSCRIPTION_EXPIRING, number)


def test_a_letter_is_in_its_readers_language_and_the_document_in_it_in_that_of_its_issue():
    invoice = replace(INVOICE, buyer=replace(BUYER, locale="de"))
    paid = Message(kind=MessageKind.INVOICE_PAID, about="1", account_id="acme")
    for locale, text in (
        ("", "Thank you: invoice INV-2026-000042 of 1,682.14 EUR is paid.\n"),
        ("nl", "Thank you: invoice INV-2026-000042 of 1,682.14 EUR is paid.\n"),
        ("de-AT", "Vielen Dank: Die Rechnung INV-2026-000042 über 1.682,14 EUR ist bezahlt.\n"),
    ):
        assert letter_of(paid, invoice, "Shop", locale).text == text
    created = Message(kind=MessageKind.INVOICE_CREATED, about="1", account_id="acme")
    whole = letter_of(created, invoice, "Shop", "fr")
    assert (whole.subject, whole.text.splitlines()[0]) == (
        "Facture INV-2026-000042 de Shop",
        "Rechnung INV-2026-000042",
    )
