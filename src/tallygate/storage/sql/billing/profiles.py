"""Billing profiles, and the parties of documents as they were printed: all there is of people in billing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, insert, select

from tallygate.domain.billing.documents import Invoice
from tallygate.domain.billing.parties import BillingProfile, Party
from tallygate.storage.documents import PARTY, TAX_FACTS
from tallygate.storage.sql.billing.tables import billing_profiles, invoice_parties
from tallygate.storage.sql.scope import Scope

_SELLER = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlProfileRepository:
    """Profiles of one tenant's accounts, and its own."""

    scope: Scope

    async def get(self, account_id: str) -> BillingProfile | None:
        """One profile; the seller's where it is empty."""
        return await self.scope.of_one(profiles_of, account_id)

    async def put(self, profile: BillingProfile) -> None:
        """Add or replace one."""
        values = {
            "account_id": profile.account_id,
            "party": PARTY.dump_python(profile.party, mode="json", exclude_defaults=True),
            "tax_exemption": profile.tax_exemption,
            "tax_facts": {
                name: kind.dump_python(getattr(profile, name), mode="json") for name, kind in TAX_FACTS.items()
            },
            "update_time": profile.update_time,
            "group_buy": profile.group_buy,
        }
        await self.scope.upsert_into(billing_profiles, [values])
        self.scope.changed(profile.account_id)


async def profiles_of(scope: Scope, account_ids: Sequence[str]) -> Mapping[str, BillingProfile | None]:
    """The profiles of accounts, and always the seller's, which every document of theirs needs."""
    wanted = {*account_ids, _SELLER}
    own = billing_profiles.c
    query = select(billing_profiles).where(own.tenant_id == scope.tenant_id, own.account_id.in_(sorted(wanted)))
    found = {row.account_id: _profile(row) for row in await scope.rows(query)}
    return {account_id: found.get(account_id) for account_id in wanted}


async def freeze_parties(scope: Scope, invoice: Invoice) -> None:
    """Keep the parties of a document that is issued, if it has any."""
    if invoice.seller is None and invoice.buyer is None:
        return
    row = {
        "tenant_id": scope.tenant_id,
        "invoice_id": invoice.invoice_id,
        "seller": _column(invoice.seller),
        "buyer": _column(invoice.buyer),
    }
    await scope.connection.execute(insert(invoice_parties), [row])


def party_of(column: Any) -> Party | None:  # noqa: ANN401 - a JSON document
    """A party as its column holds it."""
    return PARTY.validate_python(column) if column else None


def _column(party: Party | None) -> Any:  # noqa: ANN401 - a JSON document
    return {} if party is None else PARTY.dump_python(party, mode="json", exclude_defaults=True)


def _profile(row: Row[Any]) -> BillingProfile:
    return BillingProfile(
        account_id=row.account_id,
        party=PARTY.validate_python(row.party),
        tax_exemption=row.tax_exemption,
        update_time=row.update_time,
        group_buy=bool(row.group_buy),
        **{name: kind.validate_python((row.tax_facts or {}).get(name, ())) for name, kind in TAX_FACTS.items()},
    )
