"""Announcements as they travel on `keys.CHANGES_CHANNEL`: JSON both ways. What nobody here knows is passed over."""

import json

from tallygate.data_plane.ports import UsageReturned, ViewChange


def change_announcement(tenant_id: str, account_id: str, version: int) -> str:
    """That something was published; an empty `account_id` means the tenant's catalogue."""
    return json.dumps({"tenant_id": tenant_id, "account_id": account_id, "version": version})


def return_announcement(tenant_id: str, account_id: str, feature_key: str) -> str:
    """That units of a feature were returned, or its usage was reset."""
    return json.dumps({"tenant_id": tenant_id, "account_id": account_id, "feature_key": feature_key})


def read_announcement(data: bytes) -> ViewChange | UsageReturned | None:
    """What was announced; None for what is from a newer release, or from nobody that we know."""
    try:
        document = json.loads(data)
        tenant_id, account_id = str(document["tenant_id"]), str(document["account_id"])
        if "feature_key" in document:
            return UsageReturned(tenant_id=tenant_id, account_id=account_id, feature_key=str(document["feature_key"]))
        return ViewChange(tenant_id=tenant_id, account_id=account_id, version=int(document["version"]))
    except (ValueError, KeyError, TypeError):
        return None
