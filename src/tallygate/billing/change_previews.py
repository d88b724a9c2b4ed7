"""What a change of a subscription would charge and credit: lines of the changed timeline that this one has not."""

from dataclasses import dataclass, field, replace

from tallygate.billing.books import read_books
from tallygate.billing.due_lines import change_documents, due_fixed_lines, net_lines
from tallygate.billing.previews import Preview, preview_of
from tallygate.domain.billing.lines import Line
from tallygate.domain.billing.timeline import QuantityChange, Timeline
from tallygate.records.ports import BillingWork
from tallygate.records.values import StoredSubscription


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangePreview:
    """The lines that are due because of a change when it takes effect, and the next invoice after it.

    The lines are as that invoice has them; those that are not on it, as one of what is due by then would.
    """

    lines: tuple[Line, ...] = ()
    next: Preview = field(default_factory=Preview)


async def preview_change(
    work: BillingWork,
    after: StoredSubscription,
    *,
    change_time: int,
    quantity: QuantityChange | None = None,
    at_once: bool = False,
    now: int,
) -> ChangePreview:
    """What it costs that a subscription is as `after` from an instant on, with another quantity where there is one.

    The next invoice is the change's own where it is invoiced `at_once` and something is due.

    Raises:
        AccountNotFoundError: there is no such account.
    """
    books = await read_books(work, after.account_id, now=now)
    if books is None:
        return ChangePreview()
    changed = books.changed(_changed(timeline, after, quantity) for timeline in books.timelines)
    without = {(line.line_key, line.exact) for line in await due_fixed_lines(work, books, change_time)}
    due = await due_fixed_lines(work, changed, change_time)
    own = await change_documents(work, changed, now) if at_once and change_time <= now else []
    following = Preview(invoices=tuple(own), cut_time=now) if own else await preview_of(work, changed, now=now)
    shown = await net_lines(work, changed, due)
    shown |= {line.line_key: line for each in following.invoices for line in each.lines}
    lines = tuple(shown[line.line_key] for line in due if (line.line_key, line.exact) not in without)
    return ChangePreview(lines=lines, next=following)


def _changed(timeline: Timeline, after: StoredSubscription, quantity: QuantityChange | None) -> Timeline:
    quantities = (*timeline.quantities, quantity) if quantity is not None else timeline.quantities
    if timeline.subscription.subscription_id != after.subscription.subscription_id:
        return replace(timeline, quantities=quantities)
    return replace(timeline, subscription=after.subscription, cancel_time=after.cancel_time, quantities=quantities)
