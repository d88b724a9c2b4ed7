"""Documents to render, as values: an invoice in March of a seller in Berlin, and a credit note of it."""

from dataclasses import replace
from datetime import UTC, datetime
from fractions import Fraction

from tallygate.domain.billing.balances import Balance, InvoiceState
from tallygate.domain.billing.documents import Invoice, InvoiceKind, Preceding
from tallygate.domain.billing.lines import Line, LineDiscount, LineKind, LineTax
from tallygate.domain.billing.parties import Address, Party
from tallygate.domain.billing.tax import groups_of
from tallygate.domain.billing.tax_evidence import Treatment
from tallygate.domain.period import UsagePeriod


def at(text):
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1_000_000


MONTH = UsagePeriod(at("2026-02-28T23:00"), at("2026-03-31T22:00"))  # March in Berlin
VAT = LineTax(country="DE", name="VAT", rate="19")


def line(text, amount, tax, *, quantity="1", unit_amount="", discount=0, currency="EUR", under=VAT):
    """`amount` is what is left of it after the discount; `tax` is its part of the document's."""
    coupon = LineDiscount(redemption_id="r", code="SPRING", exact=Fraction(discount), amount=discount)
    return Line(
        line_key=text,
        kind=LineKind.RECURRING,
        text=text,
        due=MONTH.start,
        period=MONTH,
        currency=currency,
        exact=Fraction(amount),
        amount=amount,
        quantity=Fraction(quantity),
        unit_amount=unit_amount,
        tax=replace(under, amount=tax) if under is not None else None,
        discounts=(coupon,) if discount else (),
    )


SELLER = Party(
    name="Tally & Söhne GmbH",
    address=Address(lines=("Hauptstr. 1",), city="Berlin", postal_code="10115", country="DE"),
    email="bills@tally.example",
    tax_ids=("DE136695976",),
    registration_id="HRB 4711",
    electronic_address="DE136695976",
    electronic_scheme="9930",
    iban="DE89370400440532013000",
    bic="COBADEFFXXX",
    payment_terms="14 days net",
)
BUYER = Party(
    name="Acme <& Co>",
    address=Address(lines=("Ring 1", "Top 2", "Stiege 3", "c/o Ada"), city="Wien", postal_code="1010", country="AT"),
    email="ap@acme.example",
    tax_ids=("ATU12345675",),
    reference="PO-77",
)
LINES = (
    line("Pro plan", 4900, 931, unit_amount="49.00"),
    line("Monthly user fees (10 @ €15.00)", 13500, 2565, quantity="10", unit_amount="15.00", discount=1500),
    line("API calls", 123456, 23457, quantity="2469.12", unit_amount="0.50"),
    line("Credit: seats", -500, -95, quantity="-1/3"),
)


def invoice(*lines, wallet=0, **more):
    """An invoice of lines; its sums follow from theirs."""
    subtotal, tax = sum(each.amount for each in lines), sum(each.tax.amount for each in lines if each.tax is not None)
    total = subtotal + tax
    return replace(
        Invoice(
            invoice_id="inv_1",
            account_id="acme",
            kind=InvoiceKind.PERIOD,
            cause="1/EUR",
            currency=lines[0].currency,
            period=MONTH,
            lines=lines,
            subtotal=subtotal,
            tax=tax,
            taxes=groups_of(lines),
            total=total,
            number="INV-2026-000042",
            issue_time=at("2026-03-31T23:00"),
            due_time=at("2026-04-14T22:00"),
            zone="Europe/Berlin",
            balance=Balance(total=total, wallet=wallet, state=InvoiceState.OPEN),
            seller=SELLER,
            buyer=BUYER,
        ),
        **more,
    )


INVOICE = invoice(*LINES, wallet=5000)
"""1,413.56 and 19 % of it, 268.58: 1,682.14, of which the wallet has paid 50.00."""


INVOICES = (
    Preceding(number="INV-2026-000031", issue_time=at("2026-02-28T23:30"), zone="Europe/Berlin"),
    Preceding(number="INV-2026-000042", issue_time=at("2026-03-31T23:00"), zone="Europe/Berlin"),
)


def credit_note(*lines, owed_back=0):
    """What goes into the wallet, but for what is owed back."""
    made = invoice(*lines, number="CN-2026-000003", kind=InvoiceKind.CREDIT_NOTE, due_time=0, preceding=INVOICES)
    kept = made.total + owed_back
    return replace(made, balance=Balance(total=made.total, wallet=kept, paid=-owed_back, state=InvoiceState.PAID))


NOTE = credit_note(line("Credit: Pro plan", -4900, -931), line("Pro plan, ten days", 1633, 310))
"""49.00 back and 16.33 charged: 32.67 and its 6.21."""
REVERSED = LineTax(country="AT", treatment=Treatment.REVERSE_CHARGE, note="Reverse charge: the recipient owes the tax")
EXEMPT = LineTax(country="DE", treatment=Treatment.EXEMPT, note="Charity (certificate 4711)")
OUTSIDE = LineTax(country="US", treatment=Treatment.OUTSIDE, note="No tax is charged in US")
