"""API keys: minted by the caller's randomness, shown once, kept as a digest. Keys live on real time, tests included."""

from dataclasses import dataclass, replace

from tallygate.domain.credential import SHOWN_CHARACTERS, KeyRecord, Scope, is_well_formed, key_digest
from tallygate.domain.errors import InvalidFieldError
from tallygate.domain.key_errors import ApiKeyNotFoundError
from tallygate.records.fields import check_instant, check_label
from tallygate.records.lookup import known_account
from tallygate.records.paging import FIRST_PAGE, Page, PageRequest, newest_of
from tallygate.records.ports import UnitOfWork
from tallygate.records.values import StoredKey


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateKey:
    """A key to register: what it may do, for which account alone where it is bound to one, and until when."""

    scopes: frozenset[Scope]
    name: str = ""
    expire_time: int | None = None
    account_id: str = ""


async def create_key(work: UnitOfWork, request: CreateKey, *, secret: str, real_now: int) -> StoredKey:
    """Register a key that `mint_key` made; the same secret again answers the key as it is stored.

    Raises:
        InvalidFieldError: the secret is no key, it has no scope, or it has expired already.
        AccountNotFoundError: there is no such account to bind it to.
        ConflictError: another tenant has this key.
    """
    if request.account_id:
        await known_account(work, request.account_id)
    created = new_key(request, tenant_id=(await work.tenants.get()).tenant_id, secret=secret, real_now=real_now)
    if (stored := await work.keys.get(created.record.key_id)) is not None:
        return stored
    await work.keys.put(created)
    return created


def new_key(request: CreateKey, *, tenant_id: str, secret: str, real_now: int) -> StoredKey:
    """What is stored of a key that `mint_key` made.

    Raises:
        InvalidFieldError: the secret is no key, it has no scope, or it has expired already.
    """
    if not is_well_formed(secret):
        raise InvalidFieldError(field="key", expected="a key as Tallygate mints them: tg_...")
    if not request.scopes:
        raise InvalidFieldError(field="scopes", expected="at least one scope")
    _check_binding(request)
    check_label("name", request.name)
    if request.expire_time is not None:
        check_instant("expire_time", request.expire_time, after=real_now)
    digest = key_digest(secret)
    record = KeyRecord(
        key_id=f"key_{digest[:16]}",
        tenant_id=tenant_id,
        scopes=request.scopes,
        name=request.name,
        expire_time=request.expire_time,
        account_id=request.account_id,
    )
    return StoredKey(record=record, digest=digest, shown=secret[:SHOWN_CHARACTERS], create_time=real_now)


def _check_binding(request: CreateKey) -> None:
    """A key that is bound to an account does what that may do for itself, and nothing else; no other key does."""
    bound, alone = bool(request.account_id), request.scopes == {Scope.SELF_SERVICE}
    if bound and not alone:
        raise InvalidFieldError(field="scopes", expected="self_service alone, as the key is bound to an account")
    if Scope.SELF_SERVICE in request.scopes and not bound:
        raise InvalidFieldError(field="account_id", expected="the account whose key it is, as it is for self-service")


async def revoke_key(work: UnitOfWork, key_id: str, *, real_now: int) -> StoredKey:
    """Revoke a key for good; revoking it again changes nothing.

    Raises:
        ApiKeyNotFoundError: the tenant has no such key.
    """
    stored = await work.keys.get(key_id)
    if stored is None:
        raise ApiKeyNotFoundError(key_id=key_id)
    if stored.record.revoke_time is not None:
        return stored
    revoked = replace(stored, record=replace(stored.record, revoke_time=real_now))
    await work.keys.put(revoked)
    return revoked


async def list_keys(work: UnitOfWork, page: PageRequest = FIRST_PAGE) -> Page[StoredKey]:
    """The tenant's keys, newest first, expired and revoked ones included."""
    return await newest_of(
        page,
        lambda before, limit: work.keys.newest(before=before, limit=limit),
        lambda key: (key.create_time, key.record.key_id),
    )
