"""Invoices and credit notes: what lines come to, when they are due, how they are numbered. Immutable once issued."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from hashlib import sha256
from itertools import groupby

from tallygate.domain.billing.balances import Balance, InvoiceState
from tallygate.domain.billing.cover import Policy
from tallygate.domain.billing.crediting import capped, within_billed
from tallygate.domain.billing.discounts import Redemption, discounted
from tallygate.domain.billing.lines import Line
from tallygate.domain.billing.parties import Party
from tallygate.domain.billing.tax import Credited, TaxGroup, TaxTerms, groups_of, tax_of, taxed
from tallygate.domain.billing.tax_evidence import Evidence
from tallygate.domain.billing_terms import DueRule
from tallygate.domain.money import Rounding
from tallygate.domain.period import PeriodUnit, UsagePeriod, add_calendar, local_date, local_midnight

_DECEMBER = 12
_NONE: Mapping[str, Credited] = {}
_NONE_BILLED: Mapping[str, Sequence[Line]] = {}


class InvoiceKind(StrEnum):
    """What made an invoice: a beginning, a period's end, a change or order invoiced at once, or less than nothing."""

    OPENING = "opening"
    PERIOD = "period"
    CHANGE = "change"
    ORDER = "order"
    CREDIT_NOTE = "credit_note"


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """What was known when a document was made; from no more than that it can be made again.

    It charges what was due by `until` and not by `since`. Of its account there were `documents` before it, and it knew
    so many `changes` of subscriptions, and of `quantities` by source; own prices in `overrides` with the end that each
    had then; events up to `through` of the log; features in `late` had events of closed periods, of which the
    `late_periods` before are adjusted. Coupons in `redemptions` had taken from so many documents. `at_once`: a change
    asked for it, or it is what `subscriptions` begin with, so usage was left to its period. Documents in `forgiven`
    were void. `tax` is by what it was taxed. One that `reissues` another, a void one by its id, has that one's lines.
    An `order` charges what it sold, and of subscriptions only these. One that `credits` another was asked for by
    somebody.
    """

    since: int
    until: int
    documents: int
    changes: int
    through: int
    quantities: Mapping[str, int] = field(default_factory=dict)
    overrides: Mapping[str, int] = field(default_factory=dict)
    late: tuple[str, ...] = ()
    late_periods: int = 0
    at_once: bool = False
    reissues: str = ""
    forgiven: tuple[str, ...] = ()
    credits: str = ""
    tax: TaxTerms | None = None
    redemptions: Mapping[str, int] = field(default_factory=dict)
    order: str = ""
    subscriptions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """How an account stood when a document was issued, in minor units.

    What was due after the one before, less what was paid and credited since, and with this one is what is payable.
    """

    previous_due: int
    paid: int
    credit: int
    payable: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Preceding:
    """An invoice that a credit note gives something back of: its id and number, and when it was issued, in a zone."""

    invoice_id: str = ""
    number: str
    issue_time: int
    zone: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoice:
    """One document, of one account in one currency; amounts are minor units.

    `cause` is what made it: of an account, kind and cause there is one, but for revisions after a void. `policy` and
    `zone` are those that its amounts were made by, and `basis` what was known then, so that it can be made again; None
    and empty of older ones.
    `seller` and `buyer` are as they were printed, with what never changes of them, `parties_hash`. `evidence` is what
    told the buyer's country, `unverified` that it was taxed because nobody has verified its tax id. `preceding` are the
    invoices that a credit note gives back of, where they were looked up.
    """

    invoice_id: str
    account_id: str
    kind: InvoiceKind
    cause: str
    revision: int = 0
    currency: str
    period: UsagePeriod
    lines: tuple[Line, ...] = field(default_factory=tuple)
    subtotal: int
    tax: int = 0
    taxes: tuple[TaxGroup, ...] = ()
    total: int
    series: str = ""
    number: str = ""
    issue_time: int = 0
    due_time: int = 0
    policy: Policy | None = None
    zone: str = ""
    basis: Basis | None = None
    balance: Balance = field(default_factory=Balance)
    seller: Party | None = None
    buyer: Party | None = None
    evidence: tuple[Evidence, ...] = ()
    unverified: bool = False
    parties_hash: str = ""
    situation: Situation | None = None
    preceding: tuple[Preceding, ...] = ()

    @property
    def stretch(self) -> tuple[int, int]:
        """From when until when it is shown to be.

        Of what was invoiced at once both are its instant: its period holds that, as its lines' do, or ends with it.
        """
        start, end = self.period.start, self.period.end
        if self.period.is_instant:
            start = end = start if any(line.period.start == start for line in self.lines) else end
        return start, end

    @property
    def covered(self) -> tuple[int, int]:
        """From when until when its lines are, which what is paid in advance, and late, lets reach beyond its period.

        Where all are of one instant both are that.
        """
        if not self.lines:
            return self.stretch
        start, end = min(line.period.start for line in self.lines), max(line.period.end for line in self.lines)
        return (start, start) if UsagePeriod(start, end).is_instant else (start, end)

    @property
    def issue_order(self) -> tuple[int, int, str]:
        """Sorts documents of one series as they were issued: by the instant, then by number, of which 10 is after 9."""
        return self.issue_time, len(self.number), self.number

    @property
    def state(self) -> InvoiceState:
        """Where it stands."""
        return self.balance.state


def documents(
    lines: Sequence[Line],
    *,
    tenant_id: str,
    account_id: str,
    kind: InvoiceKind,
    period: UsagePeriod,
    cause: str = "",
    tax: TaxTerms | None = None,
    credited: Mapping[str, Credited] = _NONE,
    billed: Mapping[str, Sequence[Line]] = _NONE_BILLED,
    redemptions: Sequence[Redemption] = (),
    rounding: Rounding = Rounding.HALF_EVEN,
    revision: int = 0,
) -> Iterator[Invoice]:
    """One document a currency of the lines that a cut has: an invoice, or a credit note where they sum below zero.

    What made them is the cut, at the period's end, where no other `cause` is named. `credited` are the issued lines
    that these credit, by key, `billed` those of the lanes that they give back of, by lane; `redemptions` take off what
    their coupons say, before tax.
    """
    ordered = sorted(lines, key=lambda line: (line.currency, line.due, line.line_key))
    for currency, group in groupby(ordered, key=lambda line: line.currency):
        reduced = discounted(tuple(group), redemptions, credited, rounding)
        net = tuple(within_billed(tuple(capped(reduced, credited)), billed))
        own = taxed(net, tax, credited)
        subtotal, taxes = sum(line.amount for line in own), tax_of(own)
        total = subtotal + taxes
        made_by = cause_of(cause or period.end, currency)
        actual = InvoiceKind.CREDIT_NOTE if total < 0 else kind
        yield Invoice(
            invoice_id=document_id(tenant_id, account_id, actual, made_by, *([str(revision)] if revision else [])),
            account_id=account_id,
            kind=actual,
            cause=made_by,
            revision=revision,
            currency=currency,
            period=period,
            lines=own,
            subtotal=subtotal,
            tax=taxes,
            taxes=groups_of(own),
            evidence=tax.evidence if tax is not None else (),
            unverified=tax is not None and tax.unverified,
            total=total,
            balance=Balance(total=total),
        )


def due_time(rule: DueRule, *, issued: int, zone: str) -> int:
    """When an invoice is due: so many local days after its issue, or on the next such day of a month behind it."""
    if not rule.day_of_month:
        return add_calendar(issued, PeriodUnit.DAY, rule.days, zone=zone)
    day = local_date(issued, zone=zone)
    month = date(day.year, day.month, rule.day_of_month)
    if month <= day:
        year, number = (day.year + 1, 1) if day.month == _DECEMBER else (day.year, day.month + 1)
        month = date(year, number, rule.day_of_month)
    return local_midnight(month, zone=zone)


def series_of(kind: InvoiceKind) -> str:
    """In which series a document is numbered."""
    return "credit_notes" if kind is InvoiceKind.CREDIT_NOTE else "invoices"


def number_of(form: str, kind: InvoiceKind, *, year: int, number: int) -> str:
    """A document's number in the tenant's form; a credit note's begins with CN."""
    text = form.format(year=year, number=number)
    return f"CN-{text}" if kind is InvoiceKind.CREDIT_NOTE else text


def cause_of(made_by: str | int, currency: str) -> str:
    """The cause of a document: what makes it, as the instant of a cut, and its currency."""
    return f"{made_by}/{currency}"


def document_id(*parts: str) -> str:
    """The id of a document by tenant, account, kind, cause and revision: so of a cause there is one."""
    return f"inv_{sha256('|'.join(f'{len(part)}:{part}' for part in parts).encode()).hexdigest()[:24]}"
