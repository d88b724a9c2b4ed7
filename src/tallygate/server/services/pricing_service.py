"""PricingService: what something would cost, before it is done."""

from collections.abc import Callable
from typing import Any

from tallygate.billing.change_previews import ChangePreview, preview_change
from tallygate.billing.comparisons import compare_plans
from tallygate.billing.experiments import assign_variant
from tallygate.control_plane.booking_changes import proposed_booking
from tallygate.control_plane.pauses import proposed_pause, proposed_resumption
from tallygate.control_plane.proposals import (
    Proposal,
    proposed_add_on,
    proposed_end,
    proposed_plan,
    proposed_quantity,
)
from tallygate.control_plane.subscriptions import get_subscription
from tallygate.domain.errors import InvalidFieldError
from tallygate.records.ports import BillingWork
from tallygate.records.transactions import UseCase
from tallygate.server.calls.method import Call
from tallygate.server.services.quoting import quote_with_options
from tallygate.server.services.showing import shown
from tallygate.server.services.tenant_work import TenantWork
from tallygate.server.wire.invoice import encode_invoice, encode_line
from tallygate.server.wire.plan import texts
from tallygate.server.wire.quote import decode_quote, encode_comparison
from tallygate.server.wire.scalars import identifier, optional_identifier, optional_instant, quantity, timestamp
from tallygate.server.wire.subscription import (
    decode_booking,
    decode_cancel,
    decode_change_plan,
    decode_invoice_now,
    decode_pause,
    decode_proration,
    decode_set_add_on,
)
from tallygate_api.v1 import pricing_service_pb2 as wire
from tallygate_api.v1 import subscription_service_pb2 as service


class PricingServicer:
    """Serves PricingService."""

    def __init__(self, work: TenantWork) -> None:
        self._work = work

    async def AssignVariant(self, request: wire.AssignVariantRequest, call: Call) -> wire.AssignVariantResponse:  # noqa: N802 - the wire's name
        """Which plan an account is shown."""
        experiment, account_id = request.experiment_key, identifier(request.account_id, "account_id")
        variants = texts(request.variants, "variants")
        found = await self._work.read(call, lambda work, _: assign_variant(work, experiment, account_id, variants))
        return wire.AssignVariantResponse(variant=found)

    async def PreviewChange(self, request: wire.PreviewChangeRequest, call: Call) -> wire.PreviewChangeResponse:  # noqa: N802 - the wire's name
        """What a change would cost."""
        propose, at_once = _proposal(request), _at_once(request)

        async def preview(work: BillingWork, now: int) -> wire.PreviewChangeResponse:
            proposal = await propose(work, now)
            found = await preview_change(
                work,
                proposal.after,
                change_time=proposal.change_time,
                quantity=proposal.quantity,
                at_once=at_once,
                now=now,
            )
            return await _shown(work, proposal, found, now)

        return await self._work.read(call, preview)

    async def Quote(self, request: wire.QuoteRequest, call: Call) -> wire.QuoteResponse:  # noqa: N802 - the wire's name
        """What a plan would cost."""
        asked = decode_quote(request)
        return await self._work.read(call, lambda work, now: quote_with_options(work, asked, now=now))

    async def ComparePlans(self, request: wire.ComparePlansRequest, call: Call) -> wire.ComparePlansResponse:  # noqa: N802 - the wire's name
        """What an account's usage would have cost under other plans."""
        account_id = identifier(request.account_id, "account_id")
        start, end = optional_instant(request, "start_time"), optional_instant(request, "end_time")

        async def compare(work: BillingWork, now: int) -> wire.ComparePlansResponse:
            held = await get_subscription(work, account_id, now=now)
            return encode_comparison(await compare_plans(work, held, start=start, end=end, now=now))

        return await self._work.read(call, compare)


def _proposal(request: wire.PreviewChangeRequest) -> UseCase[Proposal]:
    kind = request.WhichOneof("change")
    if kind is None:
        raise InvalidFieldError(field="change", expected=f"one of {', '.join(_PROPOSALS)}")
    return _PROPOSALS[kind](getattr(request, kind))


def _plan(asked: service.ChangePlanRequest) -> UseCase[Proposal]:
    change = decode_change_plan(asked)
    return lambda work, now: proposed_plan(work, change, now=now)


def _add_on(asked: service.SetAddOnRequest) -> UseCase[Proposal]:
    change = decode_set_add_on(asked)
    return lambda work, now: proposed_add_on(work, change, now=now)


def _booking(asked: service.BookQuantityRequest) -> UseCase[Proposal]:
    change = decode_booking(asked)
    return lambda work, now: proposed_booking(work, change, now=now)


def _pause(asked: service.PauseSubscriptionRequest) -> UseCase[Proposal]:
    change = decode_pause(asked)
    return lambda work, now: proposed_pause(work, change, now=now)


def _resumption(asked: service.ResumeSubscriptionRequest) -> UseCase[Proposal]:
    account_id = identifier(asked.account_id, "resume.account_id")
    return lambda work, now: proposed_resumption(work, account_id, now=now)


def _end(asked: service.CancelSubscriptionRequest) -> UseCase[Proposal]:
    change = decode_cancel(asked)
    return lambda work, now: proposed_end(work, change, now=now)


def _quantity(asked: wire.QuantityPreview) -> UseCase[Proposal]:
    account_id = identifier(asked.account_id, "account_id")
    feature_key = optional_identifier(asked.feature_key, "feature_key")
    count = quantity(asked.quantity, "quantity", at_least=0)
    how = decode_proration(asked.proration)
    return lambda work, now: proposed_quantity(work, account_id, feature_key, count, proration=how, now=now)


_PROPOSALS: dict[str, Callable[[Any], UseCase[Proposal]]] = {
    "change_plan": _plan,
    "set_add_on": _add_on,
    "cancel": _end,
    "quantity": _quantity,
    "pause": _pause,
    "resume": _resumption,
    "book": _booking,
}


def _at_once(request: wire.PreviewChangeRequest) -> bool:
    """Whether the change would be invoiced at once: an end is where it is to be paid back."""
    return request.cancel.refund or any(
        decode_invoice_now(asked.invoice)
        for asked in (request.change_plan, request.set_add_on, request.quantity, request.book)
    )


async def _shown(work: BillingWork, proposal: Proposal, found: ChangePreview, now: int) -> wire.PreviewChangeResponse:
    return wire.PreviewChangeResponse(
        subscription=await shown(work, proposal.after, now),
        change_time=timestamp(proposal.change_time),
        lines=[encode_line(line) for line in found.lines],
        invoices=[encode_invoice(invoice) for invoice in found.next.invoices],
        cut_time=timestamp(found.next.cut_time),
    )
