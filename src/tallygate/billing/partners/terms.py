"""What is agreed about shares: proposed by one, in force once it is accepted, and never changed behind its time."""

from dataclasses import replace
from fractions import Fraction

from tallygate.domain.billing.sharing import ShareKind, ShareRounding, ShareTerms, in_force
from tallygate.domain.errors import InvalidFieldError
from tallygate.records.fields import check_id
from tallygate.records.lookup import known_account
from tallygate.records.ports import BillingWork

_ALL = 100
_OF_PROVIDERS = frozenset({ShareKind.PROVIDER, ShareKind.BROKER, ShareKind.PROCESSING})


async def set_share(
    work: BillingWork,
    wanted: ShareTerms,
    *,
    proposed: str | None,
    accepted: str | None,
    fixed: int | None,
    rounding: ShareRounding | None = None,
    now: int,
) -> ShareTerms:
    """Note from now on what is proposed and what is accepted; None leaves it, and the same once more changes nothing.

    Raises:
        InvalidFieldError: it is not of what its kind is of, or accounts would have more than all together.
        AccountNotFoundError: there is no such account.
    """
    await _check_parties(work, wanted)
    held = in_force(await work.share_terms.history(), at=now)
    known = held.get(wanted.key)
    before = known or wanted
    terms = replace(
        before,
        proposed=before.proposed if proposed is None else _percent(proposed, "share.proposed_percent"),
        accepted=before.accepted if accepted is None else _percent(accepted, "share.accepted_percent"),
        fixed=before.fixed if fixed is None else fixed,
        rounding=before.rounding if rounding is None else rounding,
        start_time=now,
    )
    if known is not None and replace(terms, start_time=known.start_time) == known:
        return known
    if terms.kind is ShareKind.ACCOUNT:
        others = [one for one in held.values() if one.kind is terms.kind and one.account_id == terms.account_id]
        sums = sum(Fraction(one.accepted or 0) for one in others if one.key != terms.key)
        if sums + Fraction(terms.accepted or 0) > _ALL:
            expected = "at most what others leave of 100 per cent"
            raise InvalidFieldError(field="share.accepted_percent", expected=expected, got=terms.accepted)
    await work.share_terms.add(terms)
    return terms


async def _check_parties(work: BillingWork, wanted: ShareTerms) -> None:
    of_provider, of_account = wanted.kind in _OF_PROVIDERS, wanted.kind is ShareKind.ACCOUNT
    named = {
        "share.provider": (wanted.provider, of_provider),
        "share.account_id": (wanted.account_id, of_account),
        "share.partner_account_id": (wanted.partner_id, of_account),
    }
    for field, (name, needed) in named.items():
        if needed:
            check_id(field, name)
        elif name:
            raise InvalidFieldError(field=field, expected="nothing, for a share of this kind", got=name)
    if of_account:
        await known_account(work, wanted.account_id)
        await known_account(work, wanted.partner_id)
        if wanted.account_id == wanted.partner_id:
            expected = "another account than the one that pays"
            raise InvalidFieldError(field="share.partner_account_id", expected=expected, got=wanted.partner_id)
    if wanted.rounding and wanted.kind in {ShareKind.ACCOUNT, ShareKind.PROCESSING}:
        raise InvalidFieldError(field="share.rounding", expected="nothing, for a share of this kind")
    if wanted.fixed and wanted.kind is not ShareKind.PROCESSING:
        raise InvalidFieldError(field="share.fixed_amount", expected="nothing, for a share of this kind")


def _percent(text: str, field: str) -> str:
    if text and Fraction(text) > _ALL:
        raise InvalidFieldError(field=field, expected="0 to 100", got=text)
    return text
