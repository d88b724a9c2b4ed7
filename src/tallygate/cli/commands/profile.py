"""Who accounts and the seller are on documents."""

import click

from tallygate.cli.client import Client
from tallygate.cli.groups import Group
from tallygate.cli.options import remote
from tallygate.cli.output import enum_name, instant
from tallygate.cli.values import FREE_TEXT
from tallygate_api.v1 import billing_service_pb2 as wire
from tallygate_api.v1.billing_service_pb2_grpc import BillingServiceStub
from tallygate_api.v1.party_pb2 import Address, Party, TaxExemption, TaxId, TaxIdCheck


@click.group("profile", cls=Group)
def profile_command() -> None:
    """Say who accounts and the seller are on documents.

    Without ACCOUNT it is the seller's profile, which is the tenant's own.
    """


@profile_command.command(
    "set",
    examples=[
        "tallygate billing profile set --name 'Tally GmbH' --city Berlin --country DE",
        "tallygate billing profile set acme --name Acme --country GB --tax-id GB1234",
    ],
)
@click.argument("account", required=False)
@click.option("--name", required=True, type=FREE_TEXT, metavar="TEXT", help="Its full name, as printed.")
@click.option("--line", "lines", multiple=True, metavar="TEXT", help="A line of its address; may be repeated.")
@click.option("--city", metavar="TEXT")
@click.option("--postal-code", metavar="TEXT")
@click.option("--region", metavar="CODE", help="In ISO 3166-2, as ON; in Canada it is required.")
@click.option("--country", metavar="CODE", help="In ISO 3166-1, as DE.")
@click.option("--email", metavar="ADDRESS")
@click.option("--tax-id", "tax_ids", multiple=True, metavar="ID", help="As printed; may be repeated.")
@click.option("--tax-exemption", metavar="TEXT", help="Why it is charged no tax, as printed.")
@click.option("--registration-id", metavar="ID", help="Its number in a register of companies.")
@click.option("--electronic-address", metavar="SCHEME:ID", help="Where e-invoices go, as 9930:DE136695976.")
@click.option("--iban", metavar="IBAN", help="Of a seller: the account that is paid into.")
@click.option("--bic", metavar="BIC", help="The code of that account's bank.")
@click.option("--payment-terms", metavar="TEXT", help="Of a seller: how it is to be paid.")
@click.option("--reference", metavar="TEXT", help="Of a buyer: what it wants on its documents.")
@click.option("--locale", metavar="LOCALE", help="Of a buyer: its documents' language, as de-AT.")
@click.option("--group-buy", is_flag=True, help="It may buy for others.")
@remote
def set_(
    client: Client,
    *,
    account: str | None,
    name: str,
    lines: tuple[str, ...],
    city: str | None,
    postal_code: str | None,
    region: str | None,
    country: str | None,
    email: str | None,
    tax_ids: tuple[str, ...],
    tax_exemption: str | None,
    registration_id: str | None,
    electronic_address: str | None,
    iban: str | None,
    bic: str | None,
    payment_terms: str | None,
    reference: str | None,
    locale: str | None,
    group_buy: bool,
) -> None:
    """Replace a profile; documents that were issued keep what they had."""
    address = Address(lines=lines, city=city, postal_code=postal_code, region=region, country=country)
    scheme, _, electronic = (electronic_address or "").partition(":")
    party = Party(
        name=name,
        address=address,
        email=email,
        tax_ids=[TaxId(value=tax_id) for tax_id in tax_ids],
        registration_id=registration_id,
        electronic_scheme=scheme,
        electronic_address=electronic,
        iban=iban,
        bic=bic,
        payment_terms=payment_terms,
        reference=reference,
        locale=locale,
    )
    request = wire.SetBillingProfileRequest(
        account_id=account, party=party, tax_exemption=tax_exemption, group_buy=group_buy
    )
    response = client.call(BillingServiceStub(client.channel).SetBillingProfile, request)
    client.show(response, lambda: _shown(response.profile))


@profile_command.command(
    "verify",
    examples=[
        "tallygate billing profile verify acme ATU12345675",
        "tallygate billing profile verify acme ATU12345675 --confirmed-by 'Ada Ames'",
    ],
)
@click.argument("account")
@click.argument("tax_id", metavar="TAX-ID")
@click.option("--confirmed-by", type=FREE_TEXT, metavar="NAME", help="Who has verified it instead of the register.")
@click.option("--reference", metavar="TEXT", help="What that person saw.")
@remote
def verify(client: Client, *, account: str, tax_id: str, confirmed_by: str | None, reference: str | None) -> None:
    """Ask the register of tax ids whether somebody holds one.

    Only a verified id of another member state of the European Union shifts the tax
    to the buyer.
    """
    request = wire.VerifyTaxIdRequest(account_id=account, tax_id=tax_id, confirmed_by=confirmed_by, reference=reference)
    response = client.call(BillingServiceStub(client.channel).VerifyTaxId, request)
    client.show(response, lambda: _check(response.check))


@profile_command.command(
    "show", examples=["tallygate billing profile show", "tallygate billing profile show acme -o json"]
)
@click.argument("account", required=False)
@remote
def show(client: Client, *, account: str | None) -> None:
    """Show a profile."""
    request = wire.GetBillingProfileRequest(account_id=account)
    response = client.call(BillingServiceStub(client.channel).GetBillingProfile, request)
    client.show(response, lambda: _shown(response.profile) if response.HasField("profile") else "no profile was set")


def party_lines(party: Party) -> list[str]:
    """A party as an envelope has it, and the ids under which it pays tax."""
    own = party.address
    place = " ".join(part for part in (own.postal_code, own.city) if part)
    country = " ".join(part for part in (own.region, own.country) if part)
    ids = ", ".join(tax_id.value for tax_id in party.tax_ids)
    found = [party.name, *own.lines, place, country, party.email, f"tax id {ids}" if ids else ""]
    return [line for line in found if line]


def _shown(profile: wire.BillingProfile) -> str:
    whose = f"account {profile.account_id}" if profile.account_id else "the seller"
    exempt = [f"exempt from tax: {profile.tax_exemption}"] if profile.tax_exemption else []
    exempt += [f"exempt from tax {_where_and_when(one)}: {one.reason}" for one in profile.exemptions]
    checks = map(_check, profile.tax_id_checks)
    return "\n".join([whose, *(f"  {line}" for line in [*party_lines(profile.party), *exempt, *checks])])


def _check(check: TaxIdCheck) -> str:
    who = check.confirmed_by or check.source
    proof = f", {check.reference}" if check.reference else ""
    return f"{check.tax_id} is {enum_name(check, 'status')}, says {who} at {instant(check.check_time)}{proof}"


def _where_and_when(one: TaxExemption) -> str:
    place = f"{one.country}-{one.region}" if one.region else one.country
    told = [f"in {place}"] if place else []
    told += [f"from {one.since}"] if one.since else []
    told += [f"until {one.until}"] if one.until else []
    return " ".join(told) or "always"
