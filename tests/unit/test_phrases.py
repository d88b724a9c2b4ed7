"""What our own texts on lines are in the languages of documents; what somebody else wrote stays as it is."""

from dataclasses import replace

import pytest

from documents import INVOICE, line
from documents import invoice as invoice_of
from tallygate.rendering.html import page
from tallygate.rendering.sheet import sheet

NBSP, THIN = "\u00a0", "\u202f"


def told(text, tag, *, currency="EUR", subscriber=""):
    (row,) = sheet(invoice_of(replace(line(text, 100, 0, currency=currency), subscriber=subscriber)), tag).rows
    return row.text


@pytest.mark.parametrize(
    ("text", "german", "french", "spanish", "japanese"),
    [
        ("Credit: Pro", "Korrektur: Pro", "Avoir : Pro", "Abono: Pro", "返還：Pro"),
        ("Adjustment: Calls", "Anpassung: Calls", "Ajustement : Calls", "Ajuste: Calls", "調整：Calls"),
        ("Offset: Visit", "Ausgleich: Visit", "Compensation : Visit", "Compensación: Visit", "相殺：Visit"),
        ("Initial: App", "Erstbetrag: App", "Montant initial : App", "Importe inicial: App", "初期費用：App"),
        (
            "Pro: least amount",
            "Pro: Mindestbetrag",
            "Pro : montant minimum",
            "Pro: importe mínimo",
            "Pro：最低額",
        ),
        (
            "Pro (12 months, 20% off)",
            f"Pro (12 Monate, 20{NBSP}% Rabatt)",
            f"Pro (12{NBSP}mois, 20{NBSP}% de remise)",
            f"Pro (12 meses, 20{NBSP}% de descuento)",
            "Pro（12 か月、20%引き）",
        ),
        (
            "Pro (1 year, 2.5% off)",
            f"Pro (1 Jahr, 2,5{NBSP}% Rabatt)",
            f"Pro (1{NBSP}an, 2,5{NBSP}% de remise)",
            f"Pro (1 año, 2,5{NBSP}% de descuento)",
            "Pro（1 年、2.5%引き）",
        ),
        (
            "Pro (12 months, 2 months off)",
            "Pro (12 Monate, 2 Monate Rabatt)",
            f"Pro (12{NBSP}mois, 2{NBSP}mois de remise)",
            "Pro (12 meses, 2 meses de descuento)",
            "Pro（12 か月、2 か月引き）",
        ),
        (
            "Pro (12 months, €1200.50 off)",
            f"Pro (12 Monate, 1.200,50{NBSP}€ Rabatt)",
            f"Pro (12{NBSP}mois, 1{THIN}200,50{NBSP}€ de remise)",
            f"Pro (12 meses, 1.200,50{NBSP}€ de descuento)",
            "Pro（12 か月、€1,200.50引き）",
        ),
        (
            "Calls (100,000 in advance)",
            "Calls (100.000 im Voraus)",
            f"Calls (100{THIN}000 d'avance)",
            "Calls (100.000 por adelantado)",
            "Calls（前払い 100,000）",
        ),
        (
            "Users (10 @ €15.00)",
            f"Users (10 × 15,00{NBSP}€)",
            f"Users (10 × 15,00{NBSP}€)",
            f"Users (10 × 15,00{NBSP}€)",
            "Users（10 × €15.00）",
        ),
        (
            "Pro for ann",
            "Pro für ann",
            "Pro pour ann",
            "Pro para ann",
            "Pro（ann 様分）",
        ),
        (
            "Adjustment: Credit: Pro (12 months, 20% off) for ann (less what was credited before)",
            f"Anpassung: Korrektur: Pro (12 Monate, 20{NBSP}% Rabatt) für ann (abzüglich früherer Korrekturen)",
            f"Ajustement : Avoir : Pro (12{NBSP}mois, 20{NBSP}% de remise) pour ann (moins les avoirs précédents)",
            f"Ajuste: Abono: Pro (12 meses, 20{NBSP}% de descuento) para ann (menos lo abonado antes)",
            "調整：返還：Pro（12 か月、20%引き）（ann 様分）（返還済み分を除く）",
        ),
        (
            "Credit: Pro (no more than was charged)",
            "Korrektur: Pro (höchstens das Berechnete)",
            "Avoir : Pro (dans la limite du montant facturé)",
            "Abono: Pro (hasta lo facturado)",
            "返還：Pro（請求額を上限とする）",
        ),
    ],
)
def test_our_own_words_are_in_the_documents_language(text, german, french, spanish, japanese):
    found = [told(text, tag, subscriber="ann") for tag in ("en", "de", "fr", "es", "ja")]
    assert found == [text, german, french, spanish, japanese]


@pytest.mark.parametrize(
    ("text", "currency", "german"),
    [
        ("Users (3 @ CHF 0.0001)", "CHF", f"Users (3 × 0,0001{NBSP}CHF)"),
        ("Users (3 @ ¥100)", "JPY", f"Users (3 × 100{NBSP}¥)"),
        ("Users (3)", "EUR", "Users (3)"),
    ],
)
def test_a_price_is_written_as_the_language_writes_it(text, currency, german):
    assert told(text, "de", currency=currency) == german


@pytest.mark.parametrize(
    "text",
    [
        "Creditor service",
        "Pro (early bird, 20% off)",
        "Calls (many in advance)",
        "A visit for bob@x.example",
        "Users (10 @ the door)",
        "Support (12 months)",
        "",
    ],
)
def test_what_is_no_text_of_ours_stays(text):
    assert told(text, "de", subscriber="ann") == text


def test_a_page_has_them():
    assert "Korrektur: seats" in page(INVOICE, "de").decode()
    assert "Credit: seats" in page(INVOICE, "en").decode()
