"""Accounts by the million, written as the publisher writes them: the same documents under the same keys.

Going through the control plane would take hours. What is measured on them is the data plane and Valkey's memory.
"""

import contextlib
import socket
from collections import defaultdict

import hiredis

from clusters import Cluster
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


def add_accounts(valkey: ValkeyServer | Cluster, tenant_id: str, numbers: range) -> None:
    """Write the records of these accounts, each with a subscription to the plan `bench`."""
    seconds, _ = _node(valkey, 0).command("TIME")
    now = int(seconds) * 1_000_000
    document = ACCOUNT.dump_json(_record(tenant_id, account_id(0), now), exclude_defaults=True)
    model = account_id(0).encode()
    with contextlib.ExitStack() as stack:
        links: dict[ValkeyServer, socket.socket] = {}
        for start in range(numbers.start, numbers.stop, _AT_ONCE):
            batches: dict[ValkeyServer, list[bytes]] = defaultdict(list)
            for who in map(account_id, range(start, min(start + _AT_ONCE, numbers.stop))):
                home = keys.partition_of(PARTITIONS, tenant_id, who)
                batches[_node(valkey, home)].append(_command(home, tenant_id, who, document, model))
            for node, batch in batches.items():
                link = links[node] = links.get(node) or stack.enter_context(_connected(node))
                link.sendall(b"".join(batch))
                _read_replies(link, len(batch))


def _node(valkey: ValkeyServer | Cluster, partition: int) -> ValkeyServer:
    return valkey if isinstance(valkey, ValkeyServer) else valkey.node_of_partition(partition)


def _connected(node: ValkeyServer) -> socket.socket:
    link = socket.socket(socket.AF_INET if node.port else socket.AF_UNIX)
    link.settimeout(30)
    link.connect(("127.0.0.1", node.port) if node.port else str(node.socket_path))
    return link


def _record(tenant_id: str, who: str, now: int) -> AccountRecord:
    begin = now - 10 * _DAY
    subscription = Subscription(
        subscription_id="01931b2e-7a00-7000-8000-000000000000",
        state=SubscriptionState.ACTIVE,
        start_time=begin,
        terms=(PlanTerm(plan_key=PLAN, plan_version=PLAN_VERSION, start_time=begin),),
    )
    return AccountRecord(tenant_id=tenant_id, account_id=who, version=1, create_time=begin, subscription=subscription)


def _command(home: int, tenant_id: str, who: str, document: bytes, model: bytes) -> bytes:
    key = keys.account(home, tenant_id, who)
    return bytes(hiredis.pack_command(("HSET", key, "v", 1, "d", document.replace(model, who.encode()))))


def _read_replies(link: socket.socket, count: int) -> None:
    reader = hiredis.Reader(notEnoughData=Ellipsis)
    while count:
        reader.feed(link.recv(1 << 16))
        while (reply := reader.gets()) is not Ellipsis:
            if isinstance(reply, Exception):
                raise reply
            count -= 1
