"""A process that dies at any step of a refund gives back once, and one that is told of a dispute books it once."""

from dataclasses import replace
from uuid import uuid4

import pytest

from faults.crashes import billed, dying, two_workers, undisturbed
from faults.refunding import SETUP, TOKENS, Back, RefundingWorld, asked_back, expected, paid
from faults.refunding import told as gateway_told
from tallygate.billing import disputes, refunding
from tallygate.billing.refunding import RefundRunner
from tallygate.domain.billing.gateway_events import DisputeState
from tallygate.domain.billing.payments import AttemptState, Outcome
from thorough import every

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # who dies closes nothing

DISPUTED = [gateway_told(state) for state in (DisputeState.OPENED, DisputeState.LOST, DisputeState.OPENED)]
LOST = Back(1_000, (), (), 1_000, 0, ())


async def story(fresh, token, *acts, first=0, stride=1, work=billed, **options):
    """The undisturbed books, and those of deaths at every so many steps from the first act on."""
    whole = await undisturbed(fresh(), paid(token, *acts, work=work), world=RefundingWorld, **options)
    steps = range(whole.points[SETUP].steps + 1 + first, whole.steps + 1, stride)
    return whole.books, [(step, await dying(fresh(), whole, step)) for step in steps]


def differing(books, died):
    return [(step, found) for step, found in died if found != books]


@pytest.mark.parametrize("token", TOKENS)
async def test_dying_at_any_step_gives_back_once(fresh, token):
    """With the gateway having been asked or not, having done it or not, and the answer heard or not."""
    books, died = await story(fresh, token, asked_back, first=TOKENS.index(token), stride=every(len(TOKENS)))
    assert books == expected(token)
    assert differing(expected(token), died) == []


@pytest.mark.parametrize("token", ["fake_ok", "fake_refund_timeout_before"])
async def test_jobs_fired_twice_and_two_workers_give_back_once(fresh, token):
    twice, died = await story(fresh, token, asked_back, doubled=True, stride=every(40))
    assert (twice, differing(expected(token), died)) == (expected(token), [])
    both, died = await story(fresh, token, asked_back, work=two_workers, stride=every(40))
    assert (both, differing(expected(token), died)) == (expected(token), [])


async def test_with_a_key_of_its_own_for_each_sending_money_goes_back_twice(fresh, monkeypatch):
    request_of = refunding.refund_request_of

    def new_key(tenant_id, refund):
        return replace(request_of(tenant_id, refund), key=uuid4().hex)

    monkeypatch.setattr(refunding, "refund_request_of", new_key)
    _, died = await story(fresh, "fake_ok", asked_back, stride=3)
    assert any(len(found.given) > 1 for _, found in died)


async def test_when_nobody_asks_what_became_of_a_refund_it_is_given_and_kept(fresh, monkeypatch):
    async def forgotten(self, tenant_id, refund_id, *, at=None):
        refund = await self.payments.read(tenant_id, lambda work: work.refunds.get(refund_id))
        await self._settle(tenant_id, refund, Outcome(state=AttemptState.FAILED, reason="forgotten"), at)
        return True

    monkeypatch.setattr(RefundRunner, "resolve", forgotten)
    _, died = await story(fresh, "fake_ok", asked_back, stride=3)
    assert any(found.given and found.kept for _, found in died)


async def test_dying_at_any_step_of_a_dispute_books_it_once(fresh):
    """Told three times, the last of them late: what it took is due again, and the card is not charged again."""
    books, died = await story(fresh, "fake_ok", *DISPUTED, stride=every(4))
    assert books == LOST
    assert differing(LOST, died) == []


async def test_a_card_that_is_not_ruled_out_is_charged_after_its_dispute(fresh, monkeypatch):
    async def nothing(*_, **__): ...

    monkeypatch.setattr(disputes, "note_failure", nothing)
    books, _ = await story(fresh, "fake_ok", *DISPUTED, stride=1_000)
    assert books.taken == 2_000
