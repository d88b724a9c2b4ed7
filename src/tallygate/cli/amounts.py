"""Amounts of money as they are typed and shown."""

from decimal import Decimal

from tallygate.domain.currency import DECIMALS
from tallygate_api.v1.invoice_pb2 import Money


def typed_money(amount: Decimal, currency: str | None = None) -> Money:
    """What was typed, in the tenant's currency where none was."""
    units, rest = divmod(abs(amount), 1)
    sign = -1 if amount < 0 else 1
    return Money(currency_code=currency, units=sign * int(units), nanos=sign * int(rest.scaleb(9)))


def money(amount: Money) -> str:
    """An amount with its currency, exactly: 49.00 USD, 1001 JPY."""
    value = Decimal(amount.units) + Decimal(amount.nanos).scaleb(-9)
    whole, _, decimals = f"{value.normalize():f}".partition(".")
    decimals = decimals.ljust(DECIMALS.get(amount.currency_code, 2), "0")
    return f"{whole}{'.' if decimals else ''}{decimals} {amount.currency_code}"
