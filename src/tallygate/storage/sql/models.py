"""The tables, as SQLAlchemy knows them; the migrations must say the same (a test compares).

Every key starts with `tenant_id`. Instants are `timestamptz` on PostgreSQL and UTC text on SQLite, so that a person can
read the tables; in Python they are microseconds since the Unix epoch.
"""

from datetime import UTC, datetime
from typing import Any, ClassVar, Final

from sqlalchemy import (
    JSON,
    BigInteger,
    DateTime,
    Dialect,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    Text,
    TypeDecorator,
    false,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from typing_extensions import override

from tallygate.domain.period import from_datetime, to_datetime

_NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
ONE_LIVE_SUBSCRIPTION: Final = "uq_subscriptions_live"


class Instant(TypeDecorator[int]):
    """Microseconds since the Unix epoch in Python, a time stamp in the database."""

    impl = DateTime(timezone=True)
    cache_ok = True

    @override
    def process_bind_param(self, value: int | None, dialect: Dialect) -> datetime | None:
        return None if value is None else to_datetime(value)

    @override
    def process_result_value(self, value: datetime | None, dialect: Dialect) -> int | None:
        if value is None:
            return None
        return from_datetime(value if value.tzinfo is not None else value.replace(tzinfo=UTC))


class Base(DeclarativeBase):
    """All tables of the installation."""

    metadata = MetaData(naming_convention=_NAMES)
    type_annotation_map: ClassVar = {
        str: Text(),
        int: BigInteger(),
        dict[str, Any]: JSON(),
        list[str]: JSON(),
        list[dict[str, Any]]: JSON(),
    }


def _of(parent: str, *columns: str) -> ForeignKeyConstraint:
    keys = ("tenant_id", *columns)
    return ForeignKeyConstraint(keys, [f"{parent}.{key}" for key in keys], ondelete="CASCADE")


class TenantRow(Base):
    """A tenant, and the version of its log of writes."""

    __tablename__ = "tenants"

    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    create_time: Mapped[int] = mapped_column(Instant())
    currency: Mapped[str]
    time_zone: Mapped[str]
    default_plan: Mapped[str]
    test: Mapped[bool]
    clock_offset: Mapped[int]
    clock_time: Mapped[int | None] = mapped_column(Instant())
    books_closed_time: Mapped[int | None] = mapped_column(Instant())
    former_zones: Mapped[list[dict[str, Any]]]
    former_defaults: Mapped[list[dict[str, Any]]]
    view_version: Mapped[int]
    catalog_version: Mapped[int]


class CatalogItemRow(Base):
    """A feature, a rate limit rule, or one version of a plan or add-on; version 0 where there are none."""

    __tablename__ = "catalog_items"
    __table_args__ = (_of("tenants"),)

    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    doc: Mapped[dict[str, Any]]
    archived: Mapped[bool]
    publish_time: Mapped[int] = mapped_column(Instant())


class AccountRow(Base):
    """An account; `version` and `update_time` are of the last change of anything that it holds.

    `limits_time` is when an override of a rate limit was last deleted.
    """

    __tablename__ = "accounts"
    __table_args__ = (_of("tenants"),)

    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    account_id: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int]
    create_time: Mapped[int] = mapped_column(Instant())
    update_time: Mapped[int] = mapped_column(Instant())
    time_zone: Mapped[str]
    metadata_: Mapped[dict[str, Any]] = mapped_column("metadata")
    limits_time: Mapped[int | None] = mapped_column(Instant())
    former_zones: Mapped[list[dict[str, Any]]]
    standing: Mapped[str] = mapped_column(server_default="")


class AccountUserRow(Base):
    """A user of an account."""

    __tablename__ = "account_users"
    __table_args__ = (_of("accounts", "account_id"),)

    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    account_id: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[str] = mapped_column(primary_key=True)
    create_time: Mapped[int] = mapped_column(Instant())


class SeatRow(Base):
    """A named seat that a user holds."""

    __tablename__ = "seats"
    __table_args__ = (_of("accounts", "account_id"),)

    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    account_id: Mapped[str] = mapped_column(primary_key=True)
    feature_key: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[str] = mapped_column(primary_key=True)
    assign_time: Mapped[int] = mapped_column(Instant())


class SubscriptionRow(Base):
    """A subscription; `live` marks the one that counts, of which an account has at most one.

    `former` marks those before it that usage periods still hang on, which are part of the account's record too.
    """

    __tablename__ = "subscriptions"
    __table_args__ = (
        _of("accounts", "account_id"),
        Index(
            ONE_LIVE_SUBSCRIPTION,
            "tenant_id",
            "account_id",
            unique=True,
            postgresql_where=text("live"),
            sqlite_where=text("live"),
        ),
        Index(None, "tenant_id", "account_id", "subscription_id"),
        Index(None, "tenant_id", "create_time", "subscription_id"),
    )

    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    subscription_id: Mapped[str] = mapped_column(primary_key=True)
    account_id: Mapped[str]
    state: Mapped[str]
    live: Mapped[bool]
    former: Mapped[bool]
    start_time: Mapped[int] = mapped_column(Instant())
    trial_end_time: Mapped[int | None] = mapped_column(Instant())
    end_time: Mapped[int | None] = mapped_column(Instant())
    create_time: Mapped[int] = mapped_column(Instant())
    cancel_time: Mapped[int | None] = mapped_column(Instant())
    anchor_time: Mapped[int | None] = mapped_column(Instant())
    pauses: Mapped[Any | None] = mapped_column(JSON(none_as_null=True))
    bookings: Mapped[Any | None] = mapped_column(JSON(none_as_null=True))
    pause_time: Mapped[int | None] = mapped_column(Instant())
    resume_time: Mapped[int | None] = mapped_column(Instant())


class SubscriptionTermRow(Base):
    """Which plan version serves a subscription from `start_time` until the next term's start, its `end_time`."""

    __tablename__ = "subscription_terms"
    __table_args__ = (
        _of("subscriptions", "subscription_id"),
        Index(None, "tenant_id", "plan_key", "plan_version"),
    )

    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    subscription_id: Mapped[str] = mapped_column(primary_key=True)
    start_time: Mapped[int] = mapped_column(Instant(), primary_key=True, autoincrement=False)
    end_time: Mapped[int | None] = mapped_column(Instant())
    plan_key: Mapped[str]
    plan_version: Mapped[int]
    proration: Mapped[str] = mapped_column(server_default="prorate")


class SubscriptionAddOnRow(Base):
    """An add-on held in some quantity over [start_time, end_time)."""

    __tablename__ = "subscription_add_ons"
    __table_args__ = (_of("subscriptions", "subscription_id"),)

    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    subscription_id: Mapped[str] = mapped_column(primary_key=True)
    add_on_key: Mapped[str] = mapped_column(primary_key=True)
    start_time: Mapped[int] = mapped_column(Instant(), primary_key=True, autoincrement=False)
    end_time: Mapped[int | None] = mapped_column(Instant())
    version: Mapped[int]
    quantity: Mapped[int]
    proration: Mapped[str] = mapped_column(server_default="prorate")
    end_proration: Mapped[str] = mapped_column(server_default="prorate")


class OverrideRow(Base):
    """A dated exception of an account, from a feature's entitlement or from a rate limit; the other key is empty.

    One that was deleted has an id of its own, which no caller can give: behind what it was called stands a line's end.
    """

    __tablename__ = "overrides"
    __table_args__ = (_of("accounts", "account_id"),)

    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    account_id: Mapped[str] = mapped_column(primary_key=True)
    override_id: Mapped[str] = mapped_column(primary_key=True)
    feature_key: Mapped[str]
    entitlement: Mapped[dict[str, Any]]
    start_time: Mapped[int] = mapped_column(Instant())
    end_time: Mapped[int | None] = mapped_column(Instant())
    create_time: Mapped[int] = mapped_column(Instant())
    limit_key: Mapped[str] = mapped_column(server_default="")
    rate_limit: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    retired: Mapped[bool] = mapped_column(server_default=false())
    delete_time: Mapped[int | None] = mapped_column(Instant())


class GrantRow(Base):
    """A dated allowance on top of a metered entitlement."""

    __tablename__ = "grants"
    __table_args__ = (_of("accounts", "account_id"),)

    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    account_id: Mapped[str] = mapped_column(primary_key=True)
    grant_id: Mapped[str] = mapped_column(primary_key=True)
    feature_key: Mapped[str]
    amount: Mapped[int]
    priority: Mapped[int]
    effective_time: Mapped[int] = mapped_column(Instant())
    expire_time: Mapped[int | None] = mapped_column(Instant())
    create_time: Mapped[int] = mapped_column(Instant())
    revoke_time: Mapped[int | None] = mapped_column(Instant())
    retired: Mapped[bool] = mapped_column(server_default=false())


class ApiKeyRow(Base):
    """An API key by its SHA-256 digest; the key itself is nowhere."""

    __tablename__ = "api_keys"
    __table_args__ = (_of("tenants"), Index("uq_api_keys_digest", "digest", unique=True))

    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    key_id: Mapped[str] = mapped_column(primary_key=True)
    digest: Mapped[str]
    shown: Mapped[str]
    name: Mapped[str]
    scopes: Mapped[list[str]]
    version: Mapped[int]
    create_time: Mapped[int] = mapped_column(Instant())
    expire_time: Mapped[int | None] = mapped_column(Instant())
    revoke_time: Mapped[int | None] = mapped_column(Instant())
    account_id: Mapped[str | None]


class OutboxRow(Base):
    """A committed change that is not published yet."""

    __tablename__ = "outbox"
    __table_args__ = (_of("tenants"), Index(None, "tenant_id", "version", "entry_id"), {"sqlite_autoincrement": True})

    entry_id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer(), "sqlite"), primary_key=True)
    tenant_id: Mapped[str]
    version: Mapped[int]
    kind: Mapped[str]
    key: Mapped[str]
