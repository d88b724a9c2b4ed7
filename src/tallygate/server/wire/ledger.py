"""The ledger, domain to wire."""

from tallygate.billing.ledger import Difference
from tallygate.domain.billing.posting import Balance, Transfer
from tallygate.server.wire.invoice import encode_money
from tallygate.server.wire.scalars import timestamp
from tallygate_api.v1 import ledger_service_pb2 as wire


def encode_transfer(one: Transfer) -> wire.Transfer:
    """One transfer."""
    return wire.Transfer(
        entry_id=one.entry_id,
        line=one.line,
        effective_time=timestamp(one.time),
        account_id=one.account_id,
        debit=one.debit,
        credit=one.credit,
        amount=encode_money(one.amount, one.currency),
        invoice_id=one.document_id,
    )


def encode_balance(one: Balance) -> wire.LedgerBalance:
    """One ledger account."""
    return wire.LedgerBalance(
        ledger_account=one.ledger_account,
        debits=encode_money(one.debits, one.currency),
        credits=encode_money(one.credits, one.currency),
        balance=encode_money(one.net, one.currency),
    )


def encode_difference(one: Difference) -> wire.LedgerDifference:
    """One difference."""
    return wire.LedgerDifference(
        ledger_account=one.ledger_account,
        account_id=one.account_id,
        expected=encode_money(one.expected, one.currency),
        posted=encode_money(one.posted, one.currency),
    )
