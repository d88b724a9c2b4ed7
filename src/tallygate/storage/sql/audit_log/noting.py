"""A transaction's entry in the audit log: one insert, as it commits."""

import json
import re
import secrets
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

from sqlalchemy import func, insert, select

from tallygate.domain.audit_log import digest, parted
from tallygate.domain.card_numbers import masked
from tallygate.records.audit_log import Origin
from tallygate.storage.sql.audit_log.tables import audit_log
from tallygate.storage.sql.scope import Scope

_LONGEST = 16_384
"""So many characters of details at most; what is left out says how much it was."""
_KEY = re.compile(r"tg_[0-9A-Za-z]{12,}")
_NAMES = re.compile(r"(?:_id|_key|code)$")
_NO_RESOURCE = frozenset({"request_id", "account_id", "user_id"})
_SALT_BYTES = 16
_LOG = audit_log.c


async def note_entry(scope: Scope) -> None:
    """Note what the call at work did, if the transaction is one's."""
    if scope.origin is None:
        return
    changes, more, written = [], 0, set[str]()
    if scope.recorder is not None:
        changes, more, written = scope.recorder.changes(), scope.recorder.more, scope.recorder.account_ids()
    row = _row(scope.origin, changes, more, written)
    own = _LOG.tenant_id == scope.tenant_id
    place = select(func.coalesce(func.max(_LOG.place), 0) + 1).where(own).scalar_subquery()
    row = {"tenant_id": scope.tenant_id, "entry_time": scope.now, "reason": scope.author.reason, **row}
    await scope.connection.execute(insert(audit_log).values(place=place, **row))


def _row(origin: Origin, changes: Sequence[Mapping[str, Any]], more: int, written: set[str]) -> dict[str, Any]:
    asked = dict(origin.asked())
    hidden = ("code",) if origin.method == "OrderService/RedeemClaim" else ()
    account_id = _account_of(asked, written)
    document = {"request": asked, **({"changes": changes} if changes else {}), **({"more": more} if more else {})}
    public, values = parted(document, secrets=hidden)
    details, personal = _bounded(public), ""
    if values and account_id:
        salt = secrets.token_hex(_SALT_BYTES)
        personal = _clean(json.dumps({"salt": salt, "values": values}, default=str, sort_keys=True))
        if len(personal) > _LONGEST:
            personal = ""
    return {
        "method": origin.method,
        "account_id": account_id,
        "resource": _resource(asked, account_id),
        "key_id": origin.key_id,
        "key_name": origin.key_name,
        "actor": origin.actor,
        "source": origin.source,
        "request_id": origin.request_id,
        "details": details,
        "personal": personal,
        "personal_digest": digest(personal),
    }


def _account_of(asked: Mapping[str, Any], written: set[str]) -> str:
    """The one account that a call is about; empty where it is about none, or several."""
    named = asked.get("account_id") or next(
        (each["account_id"] for each in asked.values() if isinstance(each, dict) and each.get("account_id")), ""
    )
    return str(named) if named else (next(iter(written)) if len(written) == 1 else "")


def _resource(asked: Mapping[str, Any], account_id: str) -> str:
    """What a call is about, as `accounts/acme/fee_id/f1`."""
    names = [name for name, value in asked.items() if _NAMES.search(name) and isinstance(value, str) and value]
    told = [f"{name}/{asked[name]}" for name in names if name not in _NO_RESOURCE]
    return "/".join([*([f"accounts/{account_id}"] if account_id else []), *told])[:1024]


def _bounded(document: dict[str, Any]) -> str:
    """A document as JSON: whole, or without its longest parts, which say how long they were."""
    whole = _text(document)
    for name in ("request", "changes"):
        if len(whole) <= _LONGEST:
            break
        text = _text(document.get(name, {}))
        document = {**document, name: {"omitted_characters": len(text), "sha256": sha256(text.encode()).hexdigest()}}
        whole = _text(document)
    return whole


def _text(document: object) -> str:
    return _clean(json.dumps(document, default=str, sort_keys=True))


def _clean(text: str) -> str:
    """What looks like a key or a card's number is nobody's to keep."""
    return masked(_KEY.sub("tg_***", text))
