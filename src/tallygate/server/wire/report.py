"""Reports, domain to wire."""

from tallygate.domain.billing.experiments import Arm
from tallygate.domain.billing.reporting import MOST_LOST, Books, Lost, Report
from tallygate.domain.money import Rounding, decimal_text, rounded
from tallygate.server.wire.invoice import encode_money
from tallygate.server.wire.scalars import timestamp
from tallygate_api.v1 import report_service_pb2 as wire


def encode_report(report: Report) -> wire.GetReportResponse:
    """A report."""
    customers = report.customers
    return wire.GetReportResponse(
        start_time=timestamp(report.start),
        end_time=timestamp(report.end),
        books=[_encode_books(one) for one in report.books],
        accounts_at_start=customers.at_start,
        accounts_gained=customers.gained,
        accounts_lost=len(customers.lost),
        accounts_at_end=customers.at_end,
        churn_percent=decimal_text(customers.churn),
        lost=[_encode_lost(one) for one in customers.lost[:MOST_LOST]],
    )


def encode_arm(arm: Arm) -> wire.VariantOutcome:
    """What came of a variant."""
    return wire.VariantOutcome(
        variant=arm.variant,
        accounts=arm.accounts,
        converted=arm.converted,
        conversion_percent=decimal_text(arm.conversion),
        revenue=[encode_money(amount, currency) for currency, amount in sorted(arm.revenue.items())],
    )


def _encode_books(books: Books) -> wire.ReportedBooks:
    return wire.ReportedBooks(
        currency=books.currency,
        monthly_recurring=encode_money(rounded(books.recurring, Rounding.HALF_EVEN), books.currency),
        invoiced=encode_money(books.invoiced, books.currency),
        received=encode_money(books.received, books.currency),
        income=encode_money(books.income, books.currency),
        outstanding=encode_money(books.outstanding, books.currency),
    )


def _encode_lost(lost: Lost) -> wire.LostAccount:
    return wire.LostAccount(
        account_id=lost.account_id,
        plan_key=lost.plan_key,
        end_time=timestamp(lost.end_time),
        reason=lost.reason,
        last_activity_time=timestamp(lost.last_activity),
    )
