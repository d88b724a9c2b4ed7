"""Invoices and their lines, domain to wire."""

import json
from fractions import Fraction

from google.protobuf.json_format import MessageToDict

from tallygate.domain.billing.app_charges import charge_id_of
from tallygate.domain.billing.balances import InvoiceState
from tallygate.domain.billing.discounts import NEGOTIATED
from tallygate.domain.billing.documents import Invoice, InvoiceKind, Preceding, Situation
from tallygate.domain.billing.lines import Line, LineKind, LineTax
from tallygate.domain.billing.steps import Step
from tallygate.domain.billing.tax import TaxGroup
from tallygate.domain.billing.tax_evidence import Treatment
from tallygate.domain.currency import decimals_of
from tallygate.domain.money import exact_text
from tallygate.records.billing import InvoiceQuery
from tallygate.server.wire.party import encode_evidence, encode_party
from tallygate.server.wire.scalars import WireEnum, optional_identifier, optional_instant, timestamp
from tallygate_api.v1 import invoice_pb2 as wire
from tallygate_api.v1 import invoice_service_pb2

_KIND = WireEnum(wire.InvoiceKind, InvoiceKind)
_LINE_KIND = WireEnum(wire.LineKind, LineKind)
_TREATMENT = {
    Treatment.TAXED: wire.TAX_TREATMENT_UNSPECIFIED,
    Treatment.REVERSE_CHARGE: wire.TAX_TREATMENT_REVERSE_CHARGE,
    Treatment.EXEMPT: wire.TAX_TREATMENT_EXEMPT,
    Treatment.OUTSIDE: wire.TAX_TREATMENT_OUTSIDE,
}
STATE = WireEnum(wire.InvoiceState, InvoiceState)
_NANOS = 9


def encode_invoice(invoice: Invoice) -> wire.Invoice:
    """A document, with the lines that it was loaded with."""
    return wire.Invoice(
        invoice_id=invoice.invoice_id,
        number=invoice.number,
        account_id=invoice.account_id,
        kind=_KIND.encode(invoice.kind),
        state=STATE.encode(invoice.state),
        start_time=timestamp(invoice.stretch[0]),
        end_time=timestamp(invoice.stretch[1]),
        issue_time=timestamp(invoice.issue_time or None),
        due_time=timestamp(invoice.due_time or None),
        lines=[encode_line(line) for line in invoice.lines],
        subtotal=encode_money(invoice.subtotal, invoice.currency),
        tax=encode_money(invoice.tax, invoice.currency),
        total=encode_money(invoice.total, invoice.currency),
        paid=encode_money(invoice.balance.paid, invoice.currency),
        wallet=encode_money(invoice.balance.wallet, invoice.currency),
        due=encode_money(invoice.balance.due, invoice.currency),
        written_off=encode_money(lost, invoice.currency) if (lost := invoice.balance.written_off) else None,
        credited=_unless_none(invoice.balance.credited, invoice.currency),
        returned=_unless_none(invoice.balance.returned, invoice.currency),
        situation=_situation(invoice.situation, invoice.currency) if invoice.situation is not None else None,
        credits_invoice_id=invoice.basis.credits if invoice.basis is not None else "",
        credited_invoices=map(_credited, invoice.preceding),
        seller=encode_party(invoice.seller),
        buyer=encode_party(invoice.buyer),
        taxes=[_group(group, invoice.currency) for group in invoice.taxes],
        tax_evidence=[encode_evidence(each) for each in invoice.evidence],
        tax_notices=[wire.TAX_NOTICE_TAX_ID_UNVERIFIED] if invoice.unverified else [],
    )


def invoice_json(invoice: Invoice) -> bytes:
    """A document's message as proto3 JSON, one field a line, in the order of its fields."""
    shown = MessageToDict(encode_invoice(invoice))
    return f"{json.dumps(shown, indent=2, ensure_ascii=False)}\n".encode()


def decode_query(request: invoice_service_pb2.ListInvoicesRequest) -> InvoiceQuery:
    """Which documents a list was asked for; how many of them is the page's."""
    return InvoiceQuery(
        limit=0,
        account_id=optional_identifier(request.account_id, "account_id"),
        state=STATE.decode(request.state, "state") if request.state else None,
        kind=_KIND.decode(request.kind, "kind") if request.kind else None,
        since=optional_instant(request, "start_time"),
        until=optional_instant(request, "end_time"),
        text=request.text,
    )


def _credited(one: Preceding) -> wire.CreditedInvoice:
    return wire.CreditedInvoice(invoice_id=one.invoice_id, number=one.number, issue_time=timestamp(one.issue_time))


def _situation(stood: Situation, currency: str) -> wire.AccountSituation:
    return wire.AccountSituation(
        previous_due=encode_money(stood.previous_due, currency),
        paid=encode_money(stood.paid, currency),
        credit=encode_money(stood.credit, currency),
        payable=encode_money(stood.payable, currency),
    )


def _unless_none(amount: int, currency: str) -> wire.Money | None:
    return encode_money(amount, currency) if amount else None


def encode_money(amount: int, currency: str) -> wire.Money:
    """An amount of minor units."""
    scale = 10 ** decimals_of(currency)
    units, rest = divmod(abs(amount), scale)
    sign = -1 if amount < 0 else 1
    return wire.Money(currency_code=currency, units=sign * units, nanos=sign * rest * 10**_NANOS // scale)


def encode_line(line: Line) -> wire.InvoiceLine:
    """One line."""
    return wire.InvoiceLine(
        line_key=line.line_key,
        kind=_LINE_KIND.encode(line.kind),
        text=line.text,
        start_time=timestamp(line.stretch[0]),
        end_time=timestamp(line.stretch[1]),
        quantity=exact_text(Fraction(line.quantity)),
        unit_amount=line.unit_amount,
        amount=encode_money(line.amount, line.currency),
        exact_amount=exact_text(line.exact),
        price=line.price,
        subscription_id=line.subscription_id,
        source_line=line.source_line,
        order_id=line.order_id,
        subscriber=line.subscriber,
        charge_id=charge_id_of(line.line_key),
        steps=[_step(step) for step in line.steps],
        tax=_line_tax(line.tax, line.currency) if line.tax is not None else None,
        discounts=[
            wire.LineDiscount(
                code=each.code,
                amount=encode_money(each.amount, line.currency),
                negotiated=each.redemption_id.startswith(NEGOTIATED),
            )
            for each in line.discounts
        ],
    )


def _line_tax(tax: LineTax, currency: str) -> wire.LineTax:
    return wire.LineTax(
        country=tax.country,
        region=tax.region,
        name=tax.name,
        rate=tax.rate,
        amount=encode_money(tax.amount, currency),
        note=tax.note,
        category=tax.category,
        treatment=_TREATMENT[tax.treatment],
        source=tax.source,
    )


def _group(group: TaxGroup, currency: str) -> wire.TaxGroup:
    return wire.TaxGroup(
        country=group.country,
        region=group.region,
        name=group.name,
        rate=group.rate,
        base=encode_money(group.base, currency),
        amount=encode_money(group.amount, currency),
        note=group.note,
        category=group.category,
        treatment=_TREATMENT[group.treatment],
        source=group.source,
    )


def _step(step: Step) -> wire.LineStep:
    return wire.LineStep(
        kind=step.kind.value,
        quantity=exact_text(step.quantity),
        rate=exact_text(step.rate),
        amount=exact_text(step.amount),
    )
