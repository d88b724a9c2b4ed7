"""Which gateways a tenant uses, and how its accounts pay: tokens and what may be shown of them, nothing else."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from tallygate.billing.gateways import Gateways
from tallygate.billing.ports import Card, Credentials
from tallygate.domain.billing.payments import Gateway, Method
from tallygate.domain.billing_terms import Collection
from tallygate.domain.errors import AccountFullError, ConflictError
from tallygate.domain.fields import checked_id
from tallygate.domain.payment_errors import GatewayMissingError, MethodNotFoundError
from tallygate.records.lookup import known_account
from tallygate.records.payments import COLLECT, FORGET
from tallygate.records.ports import BillingWork, NewId

_MOST_METHODS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachMethod:
    """A method to attach; an empty `gateway` is the only one that the tenant uses."""

    account_id: str
    method_id: str = ""
    gateway: str = ""
    token: str = field(repr=False)
    default: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SetGateway:
    """A gateway to use, with secrets of it by name; those that are not named stay as they are."""

    name: str
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)


async def set_gateway(work: BillingWork, wanted: SetGateway, *, gateways: Gateways, now: int) -> Gateway:
    """Use a gateway; from the first time on what is issued is collected by itself. Without secrets it changes nothing.

    Raises:
        InvalidFieldError: a secret is missing, or none of the gateway's.
        GatewayMissingError: there is no such gateway.
        GatewayRefusedError: the tenant may not use it.
        MasterKeyMissingError, MasterKeyWrongError: what is secret cannot be kept, or what was kept not opened.
    """
    known = {gateway.name: gateway for gateway in await work.payments.gateways()}
    used = known.get(wanted.name, Gateway(name=wanted.name, create_time=now))
    if wanted.name not in known:
        await gateways.require_allowed(work, wanted.name)
    elif not wanted.secrets:
        return used
    before = gateways.credentials(work.tenant_id, used)
    credentials = gateways.checked(wanted.name, Credentials(secrets={**before.secrets, **wanted.secrets}))
    gateway = replace(
        used,
        credentials=gateways.kept_credentials(work.tenant_id, wanted.name, credentials),
        secrets=tuple(sorted(credentials.secrets)),
    )
    await work.payments.put_gateway(gateway)
    return gateway


async def gateway_of(work: BillingWork, account_id: str, name: str) -> Gateway:
    """A gateway that an account can be charged through, the only one that the tenant uses where none is named.

    Raises:
        AccountNotFoundError: there is no such account.
        GatewayMissingError: the tenant does not use it, or several.
    """
    await known_account(work, account_id)
    found = await work.payments.gateways()
    wanted = [gateway for gateway in found if gateway.name == name or not name]
    if len(wanted) != 1:
        raise GatewayMissingError(**({"gateway": name} if name else {}))
    return wanted[0]


async def attach_method(
    work: BillingWork, wanted: AttachMethod, card: Card, *, gateways: Gateways, now: int, new_id: NewId
) -> Method:
    """Attach a method; an account's first is its default. The same one again answers what there is.

    Raises:
        AccountNotFoundError: there is no such account.
        GatewayMissingError: the tenant does not use its gateway.
        ConflictError: another method has this id.
        AccountFullError: the account has 100.
        MasterKeyMissingError, MasterKeyWrongError: the token cannot be kept, or the one that was not opened.
    """
    gateway = await gateway_of(work, wanted.account_id, wanted.gateway)
    known = await work.payments.method(wanted.method_id) if wanted.method_id else None
    if known is not None:
        token = gateways.token(work.tenant_id, known.gateway, known.token)
        if (known.account_id, known.gateway, token) != (wanted.account_id, gateway.name, wanted.token):
            raise ConflictError(method_id=known.method_id)
        return known
    held = live(await work.payments.methods(wanted.account_id))
    if len(held) >= _MOST_METHODS:
        raise AccountFullError(account_id=wanted.account_id, holds="payment methods", limit=_MOST_METHODS)
    method = Method(
        method_id=checked_id("method_id", wanted.method_id or f"pm_{new_id()}"),
        account_id=wanted.account_id,
        gateway=gateway.name,
        token=gateways.kept_token(work.tenant_id, gateway.name, wanted.token),
        brand=card.brand,
        last4=card.last4,
        expiry_year=card.expiry_year,
        expiry_month=card.expiry_month,
        create_time=now,
    )
    if not (wanted.default or not held):
        await work.payments.put_method(method)
        return method
    return await _make_default(work, method, held, now=now)


async def set_default_method(work: BillingWork, account_id: str, method_id: str, *, now: int) -> Method:
    """Pay by a method from now on; what failed is tried again at once. Again, it changes nothing.

    Raises:
        AccountNotFoundError: there is no such account.
        MethodNotFoundError: it has no such method.
    """
    method = await _known(work, account_id, method_id)
    if method.default:
        return method
    return await _make_default(work, method, live(await work.payments.methods(account_id)), now=now)


async def detach_method(work: BillingWork, account_id: str, method_id: str, *, now: int) -> Method:
    """Use a method no more; where it was the default, the newest other one is, if there is one. Its gateway forgets it.

    Raises:
        AccountNotFoundError: there is no such account.
        MethodNotFoundError: it has no such method.
    """
    method = await _known(work, account_id, method_id, detached=True)
    if method.detach_time is not None:
        return method
    gone = replace(method, default=False, detach_time=now)
    await work.payments.put_method(gone)
    await work.jobs.schedule(FORGET, method_id, due_time=now)
    left = live(await work.payments.methods(account_id))
    if method.default and left:
        await _make_default(work, left[-1], [], now=now)
    return gone


async def list_methods(work: BillingWork, account_id: str) -> tuple[Method, ...]:
    """The methods of an account that it may be charged by, oldest first.

    Raises:
        AccountNotFoundError: there is no such account.
    """
    await known_account(work, account_id)
    return live(await work.payments.methods(account_id))


async def default_method(work: BillingWork, account_id: str) -> Method | None:
    """What an account is charged by."""
    found = [method for method in await work.payments.methods(account_id) if method.default]
    return found[0] if found else None


async def _make_default(work: BillingWork, method: Method, held: Sequence[Method], *, now: int) -> Method:
    for other in held:
        if other.default and other.method_id != method.method_id:
            await work.payments.put_method(replace(other, default=False))
    made = replace(method, default=True)
    await work.payments.put_method(made)
    for case in await work.payments.cases(method.account_id):
        await work.payments.put_case(replace(case, at_once=True))
    await work.jobs.hasten(COLLECT, method.account_id, due_time=now)
    return made


async def set_collection(work: BillingWork, account_id: str, collection: Collection | None, *, now: int) -> None:
    """Say how an account's invoices are collected; None: as the catalogue says.

    Raises:
        AccountNotFoundError: there is no such account.
    """
    await known_account(work, account_id)
    await work.payments.set_collection(account_id, collection)
    await work.jobs.hasten(COLLECT, account_id, due_time=now)


async def _known(work: BillingWork, account_id: str, method_id: str, *, detached: bool = False) -> Method:
    await known_account(work, account_id)
    method = await work.payments.method(method_id)
    if method is None or method.account_id != account_id or (method.detach_time is not None and not detached):
        raise MethodNotFoundError(method_id=method_id)
    return method


def live(methods: Sequence[Method]) -> tuple[Method, ...]:
    """Those that are not detached."""
    return tuple(method for method in methods if method.detach_time is None)
