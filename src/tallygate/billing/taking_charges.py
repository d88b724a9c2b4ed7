"""Charges that an app told of a period: taken all together, or refused; whoever must know is told.

An app is asked outside of any transaction; its answer is taken in one, in which everything is looked at again.
"""

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction

from tallygate.billing.app_charges import Charged
from tallygate.billing.change_invoices import invoice_change
from tallygate.billing.charge_services import Intent
from tallygate.billing.fees import CreateFee, create_fee
from tallygate.domain.billing.app_charges import (
    MOST_CHARGES,
    ChargeLimit,
    ChargeRun,
    CheckedCharges,
    RejectReason,
    RunState,
    ToldCharges,
    checked,
    newly_reached,
)
from tallygate.domain.billing.messages import Message, MessageKind, major, priced
from tallygate.domain.billing_terms import BillingPolicy
from tallygate.domain.instants import rfc3339
from tallygate.records.messages import PERCENTS
from tallygate.records.ports import BillingWork


async def take(
    work: BillingWork, charged: Charged, run: ChargeRun, told: ToldCharges | None, intent: Intent, *, now: int
) -> None:
    """Take what an app told of a period, or refuse it, or where it was only to be shown tell how near its limit it is.

    What somebody else took meanwhile is not taken twice.
    """
    known = {(each.subscription_id, each.period_start): each for each in await work.app_charges.runs(run.account_id)}
    stands = known.get((run.subscription_id, run.period_start), run)
    policy = (await work.catalog.load()).billing
    if stands.state is RunState.ACCEPTED or policy is None:
        return
    limit = await work.app_charges.limit(run.subscription_id)
    seen = check(told, limit, policy, run.currency)
    run = replace(
        run,
        told=stands.told,
        reasons=seen.reasons,
        charge_ids=tuple(charge.charge_id for charge in seen.charges),
        total=seen.total,
        attempts=stands.attempts + 1,
        update_time=now,
        next_time=_next_time(run, policy, now=now),
    )
    percent = newly_reached(PERCENTS, total=seen.total, limit=limit.amount if limit else None, told=run.told)
    if percent and limit is not None:
        _tell_near(work, charged, run, limit, percent, now=now)
        run = replace(run, told=percent)
    if intent is Intent.CREATE_INVOICE and not seen.reasons:
        run = replace(run, state=RunState.ACCEPTED)
        await _invoice(work, charged, run, seen, now=now)
    elif intent is Intent.CREATE_INVOICE:
        if (stands.state, stands.reasons, stands.charge_ids) != (RunState.REJECTED, run.reasons, run.charge_ids):
            _tell_rejected(work, charged, run, told, limit, now=now)
        run = replace(run, state=RunState.REJECTED)
    await work.app_charges.put_run(run)


def check(told: ToldCharges | None, limit: ChargeLimit | None, policy: BillingPolicy, currency: str) -> CheckedCharges:
    """What is wrong with charges; of an answer that cannot be read everything is."""
    if told is None:
        return CheckedCharges(charges=(), total=0, reasons=(RejectReason.INVALID_FORMAT,))
    amount = limit.amount if limit is not None else None
    return checked(told, currency=currency, limit=amount, at_limit=policy.charges.at_limit)


def _next_time(run: ChargeRun, policy: BillingPolicy, *, now: int) -> int:
    later = now + policy.charges.every
    return later if now >= run.period_end else min(later, run.period_end)


async def _invoice(work: BillingWork, charged: Charged, run: ChargeRun, seen: CheckedCharges, *, now: int) -> None:
    """Charge what was taken: on the period's own invoice where that is not issued yet, else on one of its own."""
    state = await work.billing_accounts.get(run.account_id)
    closed = state is not None and state.closed_until >= run.period_end
    for charge in seen.charges:
        fee = CreateFee(
            account_id=run.account_id,
            currency=run.currency,
            text=charge.text,
            exact=Fraction(charge.amount),
            fee_id=run.fee_id(charge.charge_id),
        )
        await create_fee(work, fee, now=now if closed else run.period_end - 1, new_id=lambda: "")
    if closed and seen.charges:
        await invoice_change(work, charged.account_id, now=now)


def _tell_rejected(
    work: BillingWork,
    charged: Charged,
    run: ChargeRun,
    told: ToldCharges | None,
    limit: ChargeLimit | None,
    *,
    now: int,
) -> None:
    """Tell that charges were refused: which, by at most five of their ids, and why."""
    ids = [charge.charge_id for charge in told.charges][:MOST_CHARGES] if told is not None else []
    facts = {
        **_facts(charged, run),
        **{f"charge_id_{number}": charge_id for number, charge_id in enumerate(ids, start=1)},
        "reasons": " ".join(reason.value.upper() for reason in run.reasons),
        **({"charge_limit": major(limit.amount, limit.currency)} if limit is not None else {}),
    }
    about = f"{run.subscription_id}/{rfc3339(run.period_start)}/{run.attempts}"
    work.messages.add(
        Message(kind=MessageKind.CHARGES_REJECTED, about=about, account_id=run.account_id, create_time=now, facts=facts)
    )


def _tell_near(
    work: BillingWork, charged: Charged, run: ChargeRun, limit: ChargeLimit, percent: int, *, now: int
) -> None:
    """Tell an account that its app's charges have come near what they may come to."""
    facts = {
        **_facts(charged, run),
        "feature_key": charged.product.name or charged.product.product_key,
        "percent": str(percent),
        "used": priced(run.total, run.currency),
        "limit": priced(limit.amount, limit.currency),
    }
    about = f"{run.account_id}/charges/{run.subscription_id}/{rfc3339(run.period_start)}/{percent}"
    work.messages.add(
        Message(kind=MessageKind.USAGE_LIMIT, about=about, account_id=run.account_id, create_time=now, facts=facts)
    )


def _facts(charged: Charged, run: ChargeRun) -> Mapping[str, str]:
    return {
        "subscription_id": run.subscription_id,
        "product_key": charged.product.product_key,
        "currency": run.currency,
        "start_time": rfc3339(run.period_start),
        "end_time": rfc3339(run.period_end),
    }
