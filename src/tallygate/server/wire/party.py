"""Sellers and buyers, wire to domain and back."""

from tallygate.domain.billing.parties import Address, BillingProfile, Party
from tallygate.domain.billing.tax_evidence import Evidence, EvidenceKind, TaxExemption, TaxIdCheck, TaxIdStatus
from tallygate.server.wire.scalars import WireEnum, optional_identifier, timestamp
from tallygate_api.v1 import billing_service_pb2, party_pb2

_KIND = WireEnum(party_pb2.EvidenceKind, EvidenceKind)
_TEXTS = (
    "registration_id",
    "electronic_address",
    "electronic_scheme",
    "iban",
    "bic",
    "payment_terms",
    "reference",
    "locale",
)
"""What is the same on both sides."""
_STATUS = WireEnum(party_pb2.TaxIdStatus, TaxIdStatus)


def decode_profile(request: billing_service_pb2.SetBillingProfileRequest) -> BillingProfile:
    """A profile to set."""
    return BillingProfile(
        account_id=optional_identifier(request.account_id, "account_id"),
        party=_decode_party(request.party),
        tax_exemption=request.tax_exemption,
        group_buy=request.group_buy,
        exemptions=tuple(
            TaxExemption(
                reason=one.reason,
                certificate=one.certificate,
                country=one.country,
                region=one.region,
                since=one.since,
                until=one.until,
            )
            for one in request.exemptions
        ),
        evidence=tuple(
            Evidence(kind=_KIND.decode(one.kind, f"evidence[{number}].kind"), country=one.country, detail=one.detail)
            for number, one in enumerate(request.evidence)
        ),
    )


def encode_profile(profile: BillingProfile) -> billing_service_pb2.BillingProfile:
    """A profile."""
    return billing_service_pb2.BillingProfile(
        account_id=profile.account_id,
        party=encode_party(profile.party),
        tax_exemption=profile.tax_exemption,
        update_time=timestamp(profile.update_time),
        group_buy=profile.group_buy,
        exemptions=[
            party_pb2.TaxExemption(
                reason=one.reason,
                certificate=one.certificate,
                country=one.country,
                region=one.region,
                since=one.since,
                until=one.until,
            )
            for one in profile.exemptions
        ],
        tax_id_checks=[encode_check(check) for check in profile.checks],
        evidence=[encode_evidence(one) for one in profile.evidence],
    )


def encode_check(check: TaxIdCheck) -> party_pb2.TaxIdCheck:
    """What was found out of a tax id."""
    return party_pb2.TaxIdCheck(
        tax_id=check.tax_id,
        country=check.country,
        status=_STATUS.encode(check.status),
        source=check.source,
        check_time=timestamp(check.check_time),
        confirmed_by=check.confirmed_by,
        key_id=check.key_id,
        reference=check.reference,
        name=check.name,
    )


def encode_evidence(one: Evidence) -> party_pb2.TaxEvidence:
    """What tells a buyer's country."""
    return party_pb2.TaxEvidence(kind=_KIND.encode(one.kind), country=one.country, detail=one.detail)


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
        **{name: getattr(party, name) for name in _TEXTS},
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
        **{name: getattr(party, name) for name in _TEXTS},
    )
