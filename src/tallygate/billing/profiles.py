"""Billing profiles: who accounts and the seller are on documents from now on; those that were issued keep theirs."""

import re
from collections.abc import Sequence
from dataclasses import replace

from tallygate.domain.billing.parties import Address, BillingProfile, Party
from tallygate.domain.billing.tax_evidence import Evidence, EvidenceKind, TaxExemption
from tallygate.domain.countries import COUNTRIES, PROVINCES
from tallygate.domain.errors import InvalidFieldError
from tallygate.records.fields import check_label, check_many, is_day
from tallygate.records.lookup import known_account
from tallygate.records.ports import BillingWork

SELLER = ""
"""The account id under which the seller's profile is kept."""
_MOST_LINES, _MOST_TAX_IDS, _LONGEST_CODE, _LONGEST_EMAIL = 6, 5, 32, 254
_MOST_EXEMPTIONS, _MOST_EVIDENCE = 20, 10
_SCHEME = re.compile(r"[0-9]{4}|[A-Z]{2}")
_IBAN = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}")
_BIC = re.compile(r"[A-Z0-9]{8}([A-Z0-9]{3})?")
_LOCALE = re.compile(r"[a-z]{2,3}([-_][A-Z][a-z]{3})?([-_]([A-Z]{2}|[0-9]{3}))?")
_REGION = re.compile(r"[A-Z0-9]{1,3}")
_EMAIL = re.compile(r"[^\s@,;<>]+@[^\s@,;<>]+")


async def set_profile(work: BillingWork, profile: BillingProfile, *, now: int) -> BillingProfile:
    """Replace a profile, or the seller's where it names no account; what was found out of ids that stay is kept.

    Raises:
        InvalidFieldError: a field is wrong.
        AccountNotFoundError: there is no such account.
    """
    _check_party(profile.party)
    check_label("tax_exemption", profile.tax_exemption)
    _check_exemptions(profile.exemptions)
    _check_evidence(profile.evidence)
    if profile.account_id != SELLER:
        await known_account(work, profile.account_id)
    elif not profile.party.address.country:
        await _check_home(work)
    known = await work.profiles.get(profile.account_id)
    if known is not None:
        kept = tuple(check for check in known.checks if check.tax_id in profile.party.tax_ids)
        profile = replace(profile, checks=kept)
    if known is not None and replace(known, update_time=profile.update_time) == profile:
        return known
    profile = replace(profile, update_time=now)
    await work.profiles.put(profile)
    return profile


async def get_profile(work: BillingWork, account_id: str) -> BillingProfile | None:
    """A profile; None where none was set.

    Raises:
        AccountNotFoundError: there is no such account.
    """
    if account_id != SELLER:
        await known_account(work, account_id)
    return await work.profiles.get(account_id)


async def parties_of(work: BillingWork, account_id: str) -> tuple[Party | None, Party | None]:
    """The seller and the buyer of a document that is issued now; a buyer without a profile is named by its id.

    Where neither has a profile there are none: a tenant that set none issues documents as it did before there were any.
    """
    seller, buyer = await work.profiles.get(SELLER), await work.profiles.get(account_id)
    if seller is None and buyer is None:
        return None, None
    return (
        None if seller is None else seller.party,
        Party(name=account_id) if buyer is None else buyer.party,
    )


def is_email(text: str) -> bool:
    """Whether a text looks like an e-mail address."""
    return len(text) <= _LONGEST_EMAIL and text.isprintable() and _EMAIL.fullmatch(text) is not None


async def _check_home(work: BillingWork) -> None:
    policy = (await work.catalog.load()).billing
    if policy is not None and policy.tax is not None:
        raise InvalidFieldError(field="party.address.country", expected="a country, as the catalogue charges tax")


def _check_party(party: Party) -> None:
    if not check_label("party.name", party.name):
        raise InvalidFieldError(field="party.name", expected="a name, as documents are to print it")
    _check_address(party.address)
    if party.email and not is_email(party.email):
        raise InvalidFieldError(field="party.email", expected="an e-mail address, as ada@acme.example")
    if len(party.tax_ids) > _MOST_TAX_IDS:
        expected = f"at most {_MOST_TAX_IDS} ids"
        raise InvalidFieldError(field="party.tax_ids", expected=expected, got=len(party.tax_ids))
    for number, tax_id in enumerate(party.tax_ids):
        _check_code(f"party.tax_ids[{number}].value", tax_id, required=True)
    for name in ("registration_id", "payment_terms", "reference"):
        check_label(f"party.{name}", getattr(party, name))
    _check_electronic(party)
    _check_form("party.iban", party.iban, _IBAN, "an IBAN without spaces, as DE89370400440532013000")
    if party.iban and not _iban_holds(party.iban):
        raise InvalidFieldError(field="party.iban", expected="an IBAN whose check digits are right", got=party.iban)
    _check_form("party.bic", party.bic, _BIC, "a BIC of 8 or 11 characters")
    _check_form("party.locale", party.locale, _LOCALE, "a language, perhaps with a country, as de or pt-BR")


def _check_electronic(party: Party) -> None:
    check_label("party.electronic_address", party.electronic_address)
    path, expected = "party.electronic_scheme", "a code of the EAS list, as 9930 or EM, beside an electronic_address"
    if bool(party.electronic_scheme) != bool(party.electronic_address):
        raise InvalidFieldError(field=path, expected=expected)
    _check_form(path, party.electronic_scheme, _SCHEME, expected)


def _check_form(path: str, value: str, form: re.Pattern[str], expected: str) -> None:
    if value and not form.fullmatch(value):
        raise InvalidFieldError(field=path, expected=expected, got=ascii(value[:40]))


def _iban_holds(iban: str) -> bool:
    """Whether its check digits are right: ISO 13616, by the remainder of ISO 7064."""
    turned = iban[4:] + iban[:4]
    return int("".join(str(int(character, 36)) for character in turned)) % 97 == 1


def _check_exemptions(exemptions: Sequence[TaxExemption]) -> None:
    check_many("exemptions", exemptions, _MOST_EXEMPTIONS)
    for number, one in enumerate(exemptions):
        path = f"exemptions[{number}]"
        if not check_label(f"{path}.reason", one.reason):
            raise InvalidFieldError(field=f"{path}.reason", expected="why no tax is charged, as documents print it")
        check_label(f"{path}.certificate", one.certificate)
        check_place(path, Address(country=one.country, region=one.region), whole=False)
        for name in ("since", "until"):
            if (day := getattr(one, name)) and not is_day(day):
                raise InvalidFieldError(field=f"{path}.{name}", expected="a day, as 2026-01-01", got=ascii(day[:16]))
        if one.until and one.until <= one.since:
            raise InvalidFieldError(field=f"{path}.until", expected="a day after since", got=one.until)


def _check_evidence(evidence: Sequence[Evidence]) -> None:
    check_many("evidence", evidence, _MOST_EVIDENCE)
    for number, one in enumerate(evidence):
        path = f"evidence[{number}]"
        if one.kind in {EvidenceKind.BILLING_ADDRESS, EvidenceKind.TAX_ID}:
            expected = "what the profile does not say itself: its address and verified ids count anyway"
            raise InvalidFieldError(field=f"{path}.kind", expected=expected, got=one.kind.value)
        if not one.country:
            raise InvalidFieldError(field=f"{path}.country", expected="the country that it tells, as 'DE'")
        check_place(path, Address(country=one.country), whole=False)
        check_label(f"{path}.detail", one.detail)


def _check_address(address: Address) -> None:
    path = "party.address"
    if len(address.lines) > _MOST_LINES:
        expected = f"at most {_MOST_LINES} lines"
        raise InvalidFieldError(field=f"{path}.lines", expected=expected, got=len(address.lines))
    for number, line in enumerate(address.lines):
        if not check_label(f"{path}.lines[{number}]", line):
            raise InvalidFieldError(field=f"{path}.lines[{number}]", expected="a line of an address")
    check_label(f"{path}.city", address.city)
    _check_code(f"{path}.postal_code", address.postal_code)
    check_place(path, address)


def check_place(path: str, address: Address, *, whole: bool = True) -> None:
    """Check the country and region of an address, by which its tax is found; `whole`: as far as that takes.

    Raises:
        InvalidFieldError: there are no such ones.
    """
    if address.country and address.country not in COUNTRIES:
        expected = "a country of ISO 3166-1, as 'DE'"
        raise InvalidFieldError(field=_at(path, "country"), expected=expected, got=ascii(address.country[:8]))
    _check_region(_at(path, "region"), address, whole=whole)


def _at(path: str, field: str) -> str:
    return f"{path}.{field}" if path else field


def _check_region(path: str, address: Address, *, whole: bool) -> None:
    if address.country == "CA" and (whole or address.region) and address.region not in PROVINCES:
        expected = f"a province or territory of Canada: {', '.join(sorted(PROVINCES))}"
        raise InvalidFieldError(field=path, expected=expected, got=ascii(address.region[:8]))
    if address.region and not (address.country and _REGION.fullmatch(address.region)):
        expected = "a region's code in ISO 3166-2 without its country, as 'ON', and a country"
        raise InvalidFieldError(field=path, expected=expected, got=ascii(address.region[:8]))


def _check_code(path: str, value: str, *, required: bool = False) -> None:
    if len(check_label(path, value)) > _LONGEST_CODE or (required and not value):
        raise InvalidFieldError(field=path, expected=f"1 to {_LONGEST_CODE} characters")
