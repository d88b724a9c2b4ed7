"""Billing profiles: who accounts and the seller are on documents from now on; those that were issued keep theirs."""

import re
from dataclasses import replace

from tallygate.domain.billing.parties import Address, BillingProfile, Party
from tallygate.domain.countries import COUNTRIES, PROVINCES
from tallygate.domain.errors import InvalidFieldError
from tallygate.records.fields import check_label
from tallygate.records.lookup import known_account
from tallygate.records.ports import BillingWork

SELLER = ""
"""The account id under which the seller's profile is kept."""
_MOST_LINES, _MOST_TAX_IDS, _LONGEST_CODE, _LONGEST_EMAIL = 6, 5, 32, 254
_REGION = re.compile(r"[A-Z0-9]{1,3}")
_EMAIL = re.compile(r"[^\s@,;<>]+@[^\s@,;<>]+")


async def set_profile(work: BillingWork, profile: BillingProfile, *, now: int) -> BillingProfile:
    """Replace a profile, or the seller's where it names no account.

    Raises:
        InvalidFieldError: a field is wrong.
        AccountNotFoundError: there is no such account.
    """
    _check_party(profile.party)
    check_label("tax_exemption", profile.tax_exemption)
    if profile.account_id != SELLER:
        await known_account(work, profile.account_id)
    elif not profile.party.address.country:
        await _check_home(work)
    known = await work.profiles.get(profile.account_id)
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


def check_place(path: str, address: Address) -> None:
    """Check the country and region of an address, by which its tax is found.

    Raises:
        InvalidFieldError: there are no such ones.
    """
    if address.country and address.country not in COUNTRIES:
        expected = "a country of ISO 3166-1, as 'DE'"
        raise InvalidFieldError(field=_at(path, "country"), expected=expected, got=ascii(address.country[:8]))
    _check_region(_at(path, "region"), address)


def _at(path: str, field: str) -> str:
    return f"{path}.{field}" if path else field


def _check_region(path: str, address: Address) -> None:
    if address.country == "CA" and address.region not in PROVINCES:
        expected = f"a province or territory of Canada: {', '.join(sorted(PROVINCES))}"
        raise InvalidFieldError(field=path, expected=expected, got=ascii(address.region[:8]))
    if address.region and not (address.country and _REGION.fullmatch(address.region)):
        expected = "a region's code in ISO 3166-2 without its country, as 'ON', and a country"
        raise InvalidFieldError(field=path, expected=expected, got=ascii(address.region[:8]))


def _check_code(path: str, value: str, *, required: bool = False) -> None:
    if len(check_label(path, value)) > _LONGEST_CODE or (required and not value):
        raise InvalidFieldError(field=path, expected=f"1 to {_LONGEST_CODE} characters")
