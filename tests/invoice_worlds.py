"""Invoice worlds: catalogue, accounts and steps in YAML, and every document that must come of them, to the cent."""

from decimal import Decimal
from pathlib import Path
from typing import Any, Protocol

import grpc

from tallygate.domain.currency import decimals_of
from tallygate_api.v1 import (
    account_service_pb2 as accounts,
)
from tallygate_api.v1 import (
    billing_service_pb2,
    billing_service_pb2_grpc,
    invoice_pb2,
    invoice_service_pb2,
    invoice_service_pb2_grpc,
    order_service_pb2_grpc,
)
from tallygate_api.v1 import order_service_pb2 as wire
from tallygate_api.v1.subscription_service_pb2 import AddOnSelection
from world_server import ServerDriver
from worlds import SECOND, Driver, instant_text, load_world, read_yaml, run_world

WORLDS = Path(__file__).parent / "invoices"


def invoice_world_paths() -> list[Path]:
    return sorted(WORLDS.glob("*.yaml"))


def expected_invoices(path: Path) -> dict[str, list[dict[str, Any]]]:
    """By account the documents, oldest first."""
    return read_yaml(path)["invoices"]


class BillingDriver(ServerDriver):
    """Invoice worlds over gRPC: whenever the clock has moved, what is due is issued."""

    def __init__(self, channel: grpc.aio.Channel, key: str) -> None:
        super().__init__(channel, key)
        self._billing = billing_service_pb2_grpc.BillingServiceStub(channel)
        self._invoices = invoice_service_pb2_grpc.InvoiceServiceStub(channel)
        self._orders = order_service_pb2_grpc.OrderServiceStub(channel)

    async def sells_from(self, country: str) -> None:
        """The seller is there, and so are buyers."""
        party = {"name": "Tally", "address": {"country": country}}
        await self._call(self._billing.SetBillingProfile, billing_service_pb2.SetBillingProfileRequest(party=party))

    async def move_to(self, now: int) -> None:
        await super().move_to(now)
        await self.run()

    async def run(self) -> None:
        """Issue all that is due."""
        more = True
        while more:
            more = (await self._call(self._billing.RunBilling, billing_service_pb2.RunBillingRequest())).more

    async def documents(self) -> dict[str, list[dict[str, Any]]]:
        """Every document, as worlds write them."""
        found: dict[str, list[dict[str, Any]]] = {}
        page = await self._call(self._invoices.ListInvoices, invoice_service_pb2.ListInvoicesRequest(page_size=100))
        assert not page.next_page_token, "a world has at most 100 documents"
        for invoice in reversed(page.invoices):
            request = invoice_service_pb2.GetInvoiceRequest(invoice_id=invoice.invoice_id)
            whole = (await self._call(self._invoices.GetInvoice, request)).invoice
            found.setdefault(invoice.account_id, []).append(_shown(whole))
        return found

    async def differences(self) -> list[str]:
        """What does not come out the same once more, of every document."""
        page = await self._call(self._invoices.ListInvoices, invoice_service_pb2.ListInvoicesRequest(page_size=100))
        found: list[str] = []
        for invoice in page.invoices:
            request = invoice_service_pb2.VerifyInvoiceRequest(invoice_id=invoice.invoice_id)
            found += [str(each) for each in (await self._call(self._invoices.VerifyInvoice, request)).differences]
        return found

    async def _users(self, account, add=(), remove=()):
        if add:
            await self._write(self._accounts.AddUsers, accounts.AddUsersRequest(account_id=account, user_ids=add))
        if remove:
            request = accounts.RemoveUsersRequest(account_id=account, user_ids=remove)
            await self._write(self._accounts.RemoveUsers, request)

    async def _fee(self, account, id, amount, text, currency="USD"):  # noqa: A002 - the document's key
        value = Decimal(amount)
        money = invoice_pb2.Money(currency_code=currency, units=int(value), nanos=int((value - int(value)).scaleb(9)))
        request = billing_service_pb2.CreateFeeRequest(account_id=account, amount=money, text=text, fee_id=id)
        await self._call(self._billing.CreateFee, request)

    async def _order(self, account, plan, add_ons=None):
        chosen = [AddOnSelection(add_on_key=key, quantity=count) for key, count in (add_ons or {}).items()]
        item = wire.OrderItem(subscription=wire.OrderedSubscription(plan_key=plan, add_ons=chosen))
        order_id = f"order/{account}"
        request = wire.CreateOrderRequest(account_id=account, order_id=order_id, items=[item])
        await self._call(self._orders.CreateOrder, request)
        await self._write(self._orders.CompleteOrder, wire.CompleteOrderRequest(order_id=order_id, terms_version="1"))

    async def _offset(self, fee):
        await self._call(self._billing.OffsetFee, billing_service_pb2.OffsetFeeRequest(fee_id=fee))


class InvoiceDriver(Driver, Protocol):
    """Something that an invoice world's steps can be done to."""

    async def sells_from(self, country: str) -> None:
        """The seller is there, and so are buyers."""
        ...

    async def run(self) -> None:
        """Issue all that is due."""
        ...

    async def documents(self) -> dict[str, list[dict[str, Any]]]:
        """Every document by account, as worlds write them."""
        ...


async def run_invoice_world(path: Path, driver: InvoiceDriver) -> dict[str, list[dict[str, Any]]]:
    """Do every step of a world, whose seller is in a country where it charges tax; every document that came of it."""
    if country := read_yaml(path).get("seller"):
        await driver.sells_from(country)
    await run_world(load_world(path), driver)
    await driver.run()
    return await driver.documents()


def _shown(invoice: invoice_pb2.Invoice) -> dict[str, Any]:
    issued = invoice.issue_time
    return {
        "kind": invoice_pb2.InvoiceKind.Name(invoice.kind).removeprefix("INVOICE_KIND_").lower(),
        "issued": instant_text(issued.seconds * SECOND + issued.nanos // 1000),
        "lines": [f"{line.text} {_amount(line.amount)}" for line in invoice.lines],
        **({"tax": _amount(invoice.tax)} if invoice.taxes else {}),
        "total": _amount(invoice.total),
    }


def _amount(money: invoice_pb2.Money) -> str:
    decimals = decimals_of(money.currency_code)
    value = Decimal(money.units) + Decimal(money.nanos).scaleb(-9)
    minor = value.scaleb(decimals)
    assert minor == int(minor), money
    return shown_amount(int(minor), money.currency_code)


def shown_amount(minor: int, currency: str) -> str:
    """An amount in minor units, as worlds write it."""
    return f"{Decimal(minor).scaleb(-decimals_of(currency)):f}"
