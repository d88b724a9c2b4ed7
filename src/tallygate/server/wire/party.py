"""Sellers and buyers, wire to domain and back."""

from tallygate.domain.billing.parties import Address, BillingProfile, Party
from tallygate.server.wire.scalars import optional_identifier, timestamp
from tallygate_api.v1 import billing_service_pb2, party_pb2


def decode_profile(request: billing_service_pb2.SetBillingProfileRequest) -> BillingProfile:
    """A profile to set."""
    return BillingProfile(
        account_id=optional_identifier(request.account_id, "account_id"),
        party=_decode_party(request.party),
        tax_exemption=request.tax_exemption,
        group_buy=request.group_buy,
    )


def encode_profile(profile: BillingProfile) -> billing_service_pb2.BillingProfile:
    """A profile."""
    return billing_service_pb2.BillingProfile(
        account_id=profile.account_id,
        party=encode_party(profile.party),
        tax_exemption=profile.tax_exemption,
        update_time=timestamp(profile.update_time),
        group_buy=profile.group_buy,
    )


def encode_party(party: Party | None) -> party_pb2.Party | None:
    """A seller or buyer, where there is one."""
    if party is None:
        return None
    own = party.address
    address = party_pb2.Address(
        lines=own.lines, city=own.city, postal_code=own.postal_code, region=own.region, country=own.country
    )
    return party_pb2.Party(
        name=party.name,
        address=address if own != Address() else None,
        email=party.email,
        tax_ids=[party_pb2.TaxId(value=tax_id) for tax_id in party.tax_ids],
    )


def _decode_party(party: party_pb2.Party) -> Party:
    own = party.address
    return Party(
        name=party.name,
        address=Address(
            lines=tuple(own.lines),
            city=own.city,
            postal_code=own.postal_code,
            region=own.region,
            country=own.country,
        ),
        email=party.email,
        tax_ids=tuple(tax_id.value for tax_id in party.tax_ids),
    )
