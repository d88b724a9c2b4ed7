"""The payment gateways of this process, and what seals that tenants know of them. Loads SQL."""

from sqlalchemy.ext.asyncio import AsyncEngine

from tallygate.app.key_files import read_sealing
from tallygate.billing.gateways import FAKE, Gateways
from tallygate.gateways.fake import FakeAdapter
from tallygate.settings import Settings
from tallygate.storage.sql.billing.fake_charges import SqlFakeCharges
from tallygate.storage.sql.billing.fake_refunds import SqlFakeRefunds


def open_gateways(settings: Settings, engine: AsyncEngine) -> Gateways:
    """Every gateway that there is; none of them is asked anything yet.

    Raises:
        UnusableSettingError: the file of the master keys cannot be used.
    """
    fake = FakeAdapter(books=SqlFakeCharges(engine=engine), refunds=SqlFakeRefunds(engine=engine))
    return Gateways(adapters={FAKE: fake}, sealing=read_sealing(settings), fake_on_live=settings.billing.fake_on_live)
