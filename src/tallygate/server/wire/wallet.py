"""Wallets, domain to wire."""

from tallygate.billing.wallets import Wallet
from tallygate.domain.billing.wallet import WalletEntry, WalletEntryKind
from tallygate.server.wire.invoice import encode_money
from tallygate.server.wire.scalars import WireEnum, timestamp
from tallygate_api.v1 import billing_service_pb2 as wire

_KIND = WireEnum(wire.WalletEntryKind, WalletEntryKind)


def encode_wallet(wallet: Wallet) -> wire.GetWalletResponse:
    """A wallet with a page of what moved."""
    return wire.GetWalletResponse(
        balances=[encode_money(amount, currency) for currency, amount in sorted(wallet.sums.items())],
        entries=[_entry(entry) for entry in wallet.entries.items],
        next_page_token=wallet.entries.next_page_token,
    )


def _entry(entry: WalletEntry) -> wire.WalletEntry:
    return wire.WalletEntry(
        entry_id=entry.entry_id,
        create_time=timestamp(entry.create_time),
        kind=_KIND.encode(entry.kind),
        amount=encode_money(entry.amount, entry.currency),
        invoice_id=entry.invoice_id,
    )
