"""Tax ids verified: by the register that knows them, asked outside of any transaction, or by a person's word."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from tallygate.billing.ports import TaxIdVerifier
from tallygate.billing.profiles import SELLER, get_profile
from tallygate.domain.billing.parties import BillingProfile
from tallygate.domain.billing.tax_evidence import TaxIdCheck, TaxIdStatus, country_of
from tallygate.domain.errors import InvalidFieldError
from tallygate.records.fields import check_label
from tallygate.records.jobs import VERIFY_TAX_ID, Job
from tallygate.records.ports import BillingWork
from tallygate.records.transactions import Transactions

_FIRST_WAIT, _LAST_WAIT = 5 * 60_000_000, 6 * 3_600_000_000
PERSON = "person"
"""The source of what somebody says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedCheck:
    """Which id of whose profile to verify; by whose word, seen where and said with which key, else by the register."""

    account_id: str
    tax_id: str
    confirmed_by: str = ""
    reference: str = ""
    key_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What was found out, and the profile as it stands then."""

    check: TaxIdCheck
    profile: BillingProfile


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxIds:
    """Verifies ids; `clock` is real time."""

    transactions: Transactions
    verifier: TaxIdVerifier
    clock: Callable[[], int]

    async def verify(self, tenant_id: str, wanted: WantedCheck) -> Checked:
        """Find out whether somebody holds an id, and keep what was found out with the profile.

        Raises:
            AccountNotFoundError: there is no such account.
            InvalidFieldError: its profile has no such id, it has not the form of one, or nobody can be asked.
        """
        check_label("confirmed_by", wanted.confirmed_by)
        check_label("reference", wanted.reference)
        profile, seller = await self.transactions.read(
            tenant_id, lambda work, _: _profiles(work, wanted.account_id), now=self.clock()
        )
        country = _country_of(profile, wanted.tax_id, self.verifier)
        check = TaxIdCheck(
            tax_id=wanted.tax_id,
            country=country,
            status=TaxIdStatus.VERIFIED,
            source=PERSON,
            check_time=0,
            confirmed_by=wanted.confirmed_by,
            key_id=wanted.key_id,
            reference=wanted.reference,
        )
        if not wanted.confirmed_by:
            check = await self._asked(check, seller)

        async def keep(work: BillingWork, now: int) -> Checked:
            kept = await _keep(work, wanted.account_id, replace(check, check_time=now))
            await self._plan(work, kept.profile, now=now)
            return kept

        return (await self.transactions.write(tenant_id, keep, now=self.clock())).value

    async def ask_again(self, jobs: Sequence[Job]) -> None:
        """A worker's jobs, of one tenant: ask once more for ids of which the register said nothing."""
        for job in jobs:
            await self._ask_again(job.tenant_id, job.subject)

    async def _ask_again(self, tenant_id: str, account_id: str) -> None:
        profile, seller = await self.transactions.read(
            tenant_id, lambda work, _: _profiles(work, account_id), now=self.clock()
        )
        found = [await self._asked(check, seller) for check in _open(profile)] if self.verifier.name else []

        async def keep(work: BillingWork, now: int) -> None:
            for check in found:
                with suppress(InvalidFieldError):  # the profile has another id by now
                    await _keep(work, account_id, replace(check, check_time=now))
            standing = await get_profile(work, account_id)
            if not self.verifier.name or standing is None:
                await work.jobs.done(VERIFY_TAX_ID, account_id)
                return
            await self._plan(work, standing, now=now)

        await self.transactions.write(tenant_id, keep, now=self.clock())

    async def _plan(self, work: BillingWork, profile: BillingProfile, *, now: int) -> None:
        """Ask again while something is not known: after as long as it has not been known, within bounds."""
        waiting = _open(profile)
        if not waiting:
            await work.jobs.done(VERIFY_TAX_ID, profile.account_id)
            return
        wait = min(max(now - max(check.check_time for check in waiting), _FIRST_WAIT), _LAST_WAIT)
        await work.jobs.schedule(VERIFY_TAX_ID, profile.account_id, due_time=now, retry_time=self.clock() + wait)

    async def _asked(self, check: TaxIdCheck, seller: BillingProfile | None) -> TaxIdCheck:
        if not self.verifier.name or not country_of(check.tax_id):
            expected = "who has verified the id: no register is asked for it, see the setting tax.vies_url"
            raise InvalidFieldError(field="confirmed_by", expected=expected)
        own = seller.party.tax_ids if seller is not None else ()
        requester = next((tax_id for tax_id in own if country_of(tax_id)), "")
        answer = await self.verifier.ask(check.tax_id, requester=requester)
        return replace(
            check, status=answer.status, source=self.verifier.name, reference=answer.reference, name=answer.name
        )


def _open(profile: BillingProfile | None) -> list[TaxIdCheck]:
    """What the register said nothing of."""
    return [check for check in profile.checks if check.status is TaxIdStatus.UNAVAILABLE] if profile else []


async def _profiles(work: BillingWork, account_id: str) -> tuple[BillingProfile | None, BillingProfile | None]:
    return await get_profile(work, account_id), await work.profiles.get(SELLER)


def _country_of(profile: BillingProfile | None, tax_id: str, verifier: TaxIdVerifier) -> str:
    """The country that an id is of: the one that it begins with, else its holder's."""
    if profile is None or tax_id not in profile.party.tax_ids:
        raise InvalidFieldError(field="tax_id", expected="an id of the profile, as it stands there", got=tax_id[:32])
    country = country_of(tax_id)
    if country and not verifier.has_form(tax_id):
        raise InvalidFieldError(field="tax_id", expected=f"the form of a tax id of {country}", got=tax_id[:32])
    return country or profile.party.address.country


async def _keep(work: BillingWork, account_id: str, check: TaxIdCheck) -> Checked:
    """Keep what was found out in place of what was known of the id; no answer leaves that as it was."""
    profile = await get_profile(work, account_id)
    if profile is None or check.tax_id not in profile.party.tax_ids:
        raise InvalidFieldError(field="tax_id", expected="an id of the profile", got=check.tax_id[:32])
    known = next((one for one in profile.checks if one.tax_id == check.tax_id), None)
    if known is not None and check.status is TaxIdStatus.UNAVAILABLE:
        return Checked(check=check, profile=profile)
    others = tuple(one for one in profile.checks if one.tax_id != check.tax_id)
    profile = replace(profile, checks=(*others, check), update_time=check.check_time)
    await work.profiles.put(profile)
    return Checked(check=check, profile=profile)
