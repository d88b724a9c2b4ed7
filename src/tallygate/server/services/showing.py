"""Subscriptions as they are answered: by what their accounts did not pay, too, whoever asks or changed them."""

from tallygate.control_plane.subscriptions import as_shown
from tallygate.records.ports import UnitOfWork
from tallygate.records.values import StoredSubscription
from tallygate.server.wire.subscription import encode_subscription
from tallygate_api.v1 import subscription_pb2


async def shown(work: UnitOfWork, held: StoredSubscription, now: int) -> subscription_pb2.Subscription:
    """A subscription as it reads now, after a change as by GetSubscription."""
    (read,) = await as_shown(work, [held], now)
    return encode_subscription(read, await work.catalog.load(), now)
