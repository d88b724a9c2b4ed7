"""Wallets, domain to wire."""

from tallygate.billing.giving import GiveCredit
from tallygate.billing.wallets import Wallet
from tallygate.domain.billing.wallet import WalletEntry, WalletEntryKind
from tallygate.server.wire.fee import decode_whole_money
from tallygate.server.wire.invoice import encode_money
from tallygate.server.wire.scalars import WireEnum, identifier, optional_identifier, optional_instant, timestamp
from tallygate_api.v1 import billing_service_pb2 as wire

_KIND = WireEnum(wire.WalletEntryKind, WalletEntryKind)


def decode_credit(request: wire.AddWalletCreditRequest, currency: str) -> GiveCredit:
    """Money to give; `currency` is the tenant's, of an amount that names none."""
    amount, currency = decode_whole_money(request.amount, "amount", usual=currency)
    return GiveCredit(
        account_id=identifier(request.account_id, "account_id"),
        currency=currency,
        amount=amount,
        credit_id=optional_identifier(request.credit_id, "credit_id"),
        expire_time=optional_instant(request, "expire_time"),
        priority=request.priority,
    )


def encode_wallet(wallet: Wallet) -> wire.GetWalletResponse:
    """A wallet with a page of what moved."""
    return wire.GetWalletResponse(
        balances=[encode_money(amount, currency) for currency, amount in sorted(wallet.sums.items())],
        entries=[encode_entry(entry) for entry in wallet.entries.items],
        next_page_token=wallet.entries.next_page_token,
    )


def encode_entry(entry: WalletEntry) -> wire.WalletEntry:
    """One movement."""
    return wire.WalletEntry(
        entry_id=entry.entry_id,
        create_time=timestamp(entry.create_time),
        kind=_KIND.encode(entry.kind),
        amount=encode_money(entry.amount, entry.currency),
        invoice_id=entry.invoice_id,
    )
