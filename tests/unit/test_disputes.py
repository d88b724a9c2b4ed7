"""What a lost dispute takes back, and of whom. Figures by hand."""

import pytest

from tallygate.domain.billing.disputes import taken_back
from tallygate.domain.billing.payments import Share


def shares(**amounts):
    return tuple(Share(invoice_id="" if name == "wallet" else name, amount=amount) for name, amount in amounts.items())


@pytest.mark.parametrize(
    ("amount", "paid", "gone", "wallet", "back"),
    [
        (100, shares(a=60, b=40), (), 0, shares(a=60, b=40)),
        (70, shares(a=60, b=40), (), 0, shares(a=60, b=10)),
        (70, shares(wallet=30, a=60), (), 20, shares(a=60, wallet=10)),
        (100, shares(a=60, wallet=40), (), 15, shares(a=60, wallet=15)),  # 25 are lost
        (100, shares(a=60, wallet=40), (), 900, shares(a=60, wallet=40)),
        (50, shares(a=60, b=40), shares(a=50), 0, shares(a=10, b=40)),
        (50, shares(a=60), shares(a=60), 0, ()),
    ],
)
def test_invoices_are_open_again_and_then_the_wallet_gives_what_it_has(amount, paid, gone, wallet, back):
    assert taken_back(amount, paid, gone, wallet=wallet) == back
