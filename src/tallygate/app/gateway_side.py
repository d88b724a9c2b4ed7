"""The payment gateways of this process, and what seals that tenants know of them. Loads SQL."""

from typing import TYPE_CHECKING

from sqlalchemy.ext.asyncio import AsyncEngine

from tallygate.app import clock
from tallygate.app.key_files import read_sealing
from tallygate.billing.gateways import FAKE, Gateways
from tallygate.gateways.asking import NO_TRAIL, Trail, Way
from tallygate.gateways.fake import FakeAdapter
from tallygate.gateways.fake_events import FakeTeller
from tallygate.gateways.paypal.adapter import NAME as PAYPAL
from tallygate.gateways.paypal.adapter import PayPalAdapter
from tallygate.gateways.razorpay.adapter import NAME as RAZORPAY
from tallygate.gateways.razorpay.adapter import RazorpayAdapter
from tallygate.gateways.stripe.adapter import NAME as STRIPE
from tallygate.gateways.stripe.adapter import StripeAdapter
from tallygate.settings import Settings
from tallygate.storage.sql.billing.fake_charges import SqlFakeCharges
from tallygate.storage.sql.billing.fake_events import SqlFakeEvents
from tallygate.storage.sql.billing.fake_refunds import SqlFakeRefunds

if TYPE_CHECKING:
    from tallygate.billing.ports import GatewayAdapter


def open_gateways(settings: Settings, engine: AsyncEngine, trail: Trail = NO_TRAIL) -> Gateways:
    """Every gateway that there is; none of them is asked anything yet.

    Raises:
        UnusableSettingError: the file of the master keys cannot be used.
    """
    chosen = settings.billing

    def way(url: str) -> Way:
        url = url.rstrip("/")
        return Way(url=url, seconds=chosen.gateway_timeout, return_url=chosen.return_url, trail=trail)

    adapters: dict[str, GatewayAdapter] = {
        FAKE: FakeAdapter(
            books=SqlFakeCharges(engine=engine),
            refunds=SqlFakeRefunds(engine=engine),
            teller=FakeTeller(events=SqlFakeEvents(engine=engine), clock=clock.now),
        ),
        STRIPE: StripeAdapter(way=way(chosen.stripe_url)),
        PAYPAL: PayPalAdapter(way=way(chosen.paypal_url)),
        RAZORPAY: RazorpayAdapter(way=way(chosen.razorpay_url)),
    }
    return Gateways(adapters=adapters, sealing=read_sealing(settings), fake_on_live=settings.billing.fake_on_live)
