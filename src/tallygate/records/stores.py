"""Where tenants live, and where what was written is published: what stands behind a unit of work.

Every method raises StoreUnavailableError when its store cannot be reached in time.
"""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from tallygate.domain.account import AccountRecord
from tallygate.domain.catalog import CatalogSnapshot
from tallygate.records.audit_log import Origin
from tallygate.records.history import NOBODY, Author
from tallygate.records.ports import BillingWork
from tallygate.records.values import Change, OutboxEntry, StoredKey, Tenant


class Store(Protocol):
    """Where tenants live. `read` and `write` raise TenantNotFoundError for an unknown tenant."""

    def read(self, tenant_id: str) -> AbstractAsyncContextManager[BillingWork]:
        """A consistent snapshot to read from."""
        ...

    def write(
        self, tenant_id: str, *, now: int = 0, author: Author = NOBODY, origin: Origin | None = None
    ) -> AbstractAsyncContextManager[BillingWork]:
        """A transaction that waits its turn among the tenant's writers; `now` is real time.

        With an `origin` it commits with an entry of the audit log.
        """
        ...

    async def create_tenant(
        self, tenant: Tenant, key: StoredKey | None = None, *, origin: Origin | None = None
    ) -> None:
        """Add a tenant with an empty catalogue, and its first key if there is one, to be published.

        Raises:
            ConflictError: there is one with this id, or somebody has this key.
        """
        ...

    async def tenant_ids(self, *, after: str, limit: int) -> Sequence[str]:
        """Every tenant, by id, those behind `after`."""
        ...


class Outbox(Protocol):
    """Committed changes that wait to be published."""

    async def tenants(self) -> Sequence[str]:
        """The tenants that have some."""
        ...

    async def pending(self, tenant_id: str, *, limit: int) -> Sequence[OutboxEntry]:
        """The tenant's oldest entries, in the order of their versions."""
        ...

    async def delete(self, tenant_id: str, entry_ids: Sequence[int]) -> None:
        """Forget entries that were published."""
        ...


class ViewPublisher(Protocol):
    """Where the view is published; an older version never replaces a newer."""

    async def publish_catalog(self, snapshot: CatalogSnapshot) -> None:
        """Publish a tenant's catalogue, and its version wherever gates are decided."""
        ...

    async def publish_accounts(self, records: Sequence[AccountRecord]) -> None:
        """Publish account records."""
        ...

    async def finish(self, tenant_id: str, applied: int, changes: Sequence[Change]) -> None:
        """Say that the tenant's log is published up to `applied`, then announce the changes."""
        ...


class KeyPublisher(Protocol):
    """Where the key table is published, and where it shows that what was published may be gone."""

    async def publish_keys(self, keys: Sequence[StoredKey]) -> None:
        """Publish key records, and raise the table's version."""
        ...

    async def is_intact(self) -> bool:
        """Whether everything published is certainly still there: same server, never emptied."""
        ...

    async def begin(self) -> str:
        """Note on this server that everything is being published to it; what is returned is for `mark_intact`."""
        ...

    async def mark_intact(self, begun: str) -> bool:
        """Remember that everything is published on this server, unless it was emptied since that began."""
        ...
