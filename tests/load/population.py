"""Accounts by the million, written as the publisher writes them: the same documents under the same keys.

Going through the control plane would take hours. What is measured on them is the data plane and Valkey's memory.
"""

import socket

import hiredis

from load.catalog import PLAN, PLAN_VERSION
from servers import ValkeyServer
from tallygate.domain.account import AccountRecord, PlanTerm, Subscription, SubscriptionState
from tallygate.storage.documents import ACCOUNT
from tallygate.storage.redis import keys

PARTITIONS = 64
_AT_ONCE = 2_000
_DAY = 86_400_000_000


def account_id(number: int) -> str:
    """The id of an account; all are equally long."""
    return f"acct-{number:07d}"


def add_accounts(valkey: ValkeyServer, tenant_id: str, numbers: range) -> None:
    """Write the records of these accounts, each with a subscription to the plan `bench`."""
    seconds, _ = valkey.command("TIME")
    document = ACCOUNT.dump_json(_record(tenant_id, account_id(0), int(seconds) * 1_000_000), exclude_defaults=True)
    model = account_id(0).encode()
    with socket.socket(socket.AF_UNIX) as link:
        link.settimeout(30)
        link.connect(str(valkey.socket_path))
        for start in range(numbers.start, numbers.stop, _AT_ONCE):
            batch = range(start, min(start + _AT_ONCE, numbers.stop))
            link.sendall(b"".join(_command(tenant_id, account_id(n), document, model) for n in batch))
            _read_replies(link, len(batch))


def _record(tenant_id: str, who: str, now: int) -> AccountRecord:
    begin = now - 10 * _DAY
    subscription = Subscription(
        subscription_id="01931b2e-7a00-7000-8000-000000000000",
        state=SubscriptionState.ACTIVE,
        start_time=begin,
        terms=(PlanTerm(plan_key=PLAN, plan_version=PLAN_VERSION, start_time=begin),),
    )
    return AccountRecord(tenant_id=tenant_id, account_id=who, version=1, create_time=begin, subscription=subscription)


def _command(tenant_id: str, who: str, document: bytes, model: bytes) -> bytes:
    key = keys.account(keys.partition_of(PARTITIONS, tenant_id, who), tenant_id, who)
    return bytes(hiredis.pack_command(("HSET", key, "v", 1, "d", document.replace(model, who.encode()))))


def _read_replies(link: socket.socket, count: int) -> None:
    reader = hiredis.Reader(notEnoughData=Ellipsis)
    while count:
        reader.feed(link.recv(1 << 16))
        while (reply := reader.gets()) is not Ellipsis:
            if isinstance(reply, Exception):
                raise reply
            count -= 1
