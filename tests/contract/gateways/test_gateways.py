"""AR-07: one suite for every gateway: what is asked once has one effect, and what nobody knows can be found out."""

import logging
from dataclasses import replace
from time import monotonic

import pytest

from gateway_worlds import DAY, SECONDS, WORLDS
from stand_ins.http import BUSY
from tallygate.billing.ports import (
    ChargeRequest,
    Credentials,
    NoAnswerError,
    RefundRequest,
    SetupRequest,
    StrangerError,
    UnverifiedEventError,
)
from tallygate.billing.settlements import SettlementKind
from tallygate.domain.billing.gateway_events import RefundNews
from tallygate.domain.billing.payments import Advice, AttemptState
from tallygate.domain.errors import InvalidFieldError

HOUR = DAY // 24
REAL = [name for name in WORLDS if name != "fake"]
"""Those that are spoken to over HTTP."""


@pytest.fixture(params=WORLDS)
async def world(request, tmp_path):
    """A gateway that nobody has asked for anything."""
    async with WORLDS[request.param](tmp_path) as made:
        yield made


@pytest.fixture
def gateway(world):
    """It, and what its tokens stand for."""
    return world.gateway, world.tokens


def asked(token, **more):
    key = more.pop("key", "k1")
    common = {"currency": "USD", "amount": 2_900, "text": "INV INV-2026-000001", "time": DAY, "account_id": "acme"}
    return ChargeRequest(tenant_id="t", key=key, attempt_id=key, token=token, **common | more)


def back(amount, *, key="r1", of="k1", charge_id="ch_k1", **more):
    return RefundRequest(
        tenant_id="t",
        key=key,
        refund_id=key,
        account_id="acme",
        payment_id=of,
        charge_id=charge_id,
        currency="USD",
        amount=amount,
        text="CN-INV-2026-000001",
        time=DAY,
        **more,
    )


async def charged(adapter, token):
    """What a gateway calls a charge of 2,900 under the key k1."""
    paid = await adapter.charge(asked(token))
    assert paid.state is AttemptState.SUCCEEDED
    return paid.gateway_id


async def test_the_same_key_is_the_same_charge(gateway):
    adapter, tokens = gateway
    first = await adapter.charge(asked(tokens["pays"]))
    assert first.state is AttemptState.SUCCEEDED
    assert first.gateway_id
    assert await adapter.charge(asked(tokens["pays"])) == first
    assert await adapter.find(asked(tokens["pays"]), now=DAY) == first
    other = await adapter.charge(asked(tokens["pays"], key="k2"))
    assert other.gateway_id != first.gateway_id


@pytest.mark.parametrize(
    ("token", "advice"), [("refused", Advice.NEW_METHOD), ("never", Advice.NEVER), ("later", Advice.RETRY_LATER)]
)
async def test_a_refusal_is_an_outcome_with_advice(gateway, token, advice):
    adapter, tokens = gateway
    refused = await adapter.charge(asked(tokens[token]))
    assert (refused.state, refused.advice) == (AttemptState.FAILED, advice)
    assert refused.reason
    assert await adapter.find(asked(tokens[token]), now=DAY) == refused


async def test_what_is_refused_for_now_pays_later(gateway):
    adapter, tokens = gateway
    states = [(await adapter.charge(asked(tokens["later"], key=f"k{turn}"))).state for turn in range(3)]
    assert states == [AttemptState.FAILED, AttemptState.FAILED, AttemptState.SUCCEEDED]


async def test_what_was_never_asked_for_is_not_found(gateway):
    adapter, tokens = gateway
    await adapter.charge(asked(tokens["pays"]))
    assert await adapter.find(asked(tokens["pays"], key="k2"), now=DAY) is None
    assert await adapter.find(replace(asked(tokens["pays"]), tenant_id="other"), now=DAY) is None


async def test_without_an_answer_it_is_found_out(gateway):
    adapter, tokens = gateway
    with pytest.raises(NoAnswerError):
        await adapter.charge(asked(tokens["silent"]))
    found = await adapter.find(asked(tokens["silent"]), now=DAY)
    assert found is not None
    assert found.state is AttemptState.SUCCEEDED


async def test_what_never_arrived_is_sent_again(gateway):
    adapter, tokens = gateway
    with pytest.raises(NoAnswerError):
        await adapter.charge(asked(tokens["lost"]))
    assert await adapter.find(asked(tokens["lost"]), now=DAY) is None
    assert (await adapter.charge(asked(tokens["lost"]))).state is AttemptState.SUCCEEDED


async def test_what_waits_says_where_to_go_and_is_decided_later(world):
    adapter, tokens = world.gateway, world.tokens
    waiting = await adapter.charge(asked(tokens["waits"]))
    assert waiting.state is AttemptState.PENDING
    assert waiting.next_action_url.startswith("https://") is world.pages
    assert await adapter.charge(asked(tokens["waits"])) == waiting
    world.decide(waiting.gateway_id)
    later = await adapter.find(asked(tokens["waits"]), now=DAY + HOUR)
    assert later is not None
    assert later.state is AttemptState.SUCCEEDED


async def test_a_token_is_described_by_what_may_be_shown(gateway):
    adapter, tokens = gateway
    card = await adapter.describe(tokens["pays"])
    assert len(card.last4) == 4
    assert card.brand
    with pytest.raises(InvalidFieldError):
        await adapter.describe("no such token")


async def test_a_charge_is_given_back_in_parts_and_no_more_than_it_took(gateway):
    adapter, tokens = gateway
    charge_id = await charged(adapter, tokens["pays"])
    first = await adapter.refund(back(2_000, charge_id=charge_id))
    assert first.state is AttemptState.SUCCEEDED
    assert first.gateway_id not in {"", charge_id}
    assert await adapter.refund(back(2_000, charge_id=charge_id)) == first, "the same key is the same refund"
    assert await adapter.find(back(2_000, charge_id=charge_id), now=DAY) == first
    too_much = await adapter.refund(back(901, key="r2", charge_id=charge_id))
    assert (too_much.state, too_much.advice) == (AttemptState.FAILED, Advice.NEVER)
    assert too_much.reason
    rest = await adapter.refund(back(900, key="r3", charge_id=charge_id))
    assert rest.state is AttemptState.SUCCEEDED
    assert rest.gateway_id != first.gateway_id
    none_left = await adapter.refund(back(1, key="r4", charge_id=charge_id))
    assert none_left.state is AttemptState.FAILED


async def test_what_was_never_charged_is_not_given_back(gateway):
    adapter, tokens = gateway
    await charged(adapter, tokens["pays"])
    unknown = await adapter.refund(back(1, of="k2", charge_id="ch_k2"))
    assert unknown.state is AttemptState.FAILED


async def test_what_a_gateway_does_not_give_back_is_an_outcome(gateway):
    adapter, tokens = gateway
    charge_id = await charged(adapter, tokens["keeps"])
    refused = await adapter.refund(back(2_900, charge_id=charge_id))
    assert refused.state is AttemptState.FAILED
    assert refused.reason
    heard_later = await adapter.find(back(2_900, charge_id=charge_id), now=DAY)
    assert heard_later in (None, refused), "whoever did not hear the answer hears the same"


@pytest.mark.parametrize("world", ["fake"], indirect=True)
async def test_who_did_not_hear_that_a_refund_waits_for_money_hears_it_later(gateway):
    adapter, _ = gateway
    charge_id = await charged(adapter, "fake_refund_later")
    refused = await adapter.refund(back(2_900, charge_id=charge_id))
    assert (refused.state, refused.advice) == (AttemptState.FAILED, Advice.RETRY_LATER)
    assert await adapter.find(back(2_900, charge_id=charge_id), now=DAY) == refused


async def test_a_refund_that_waits_is_decided_later(world):
    adapter, tokens = world.gateway, world.tokens
    charge_id = await charged(adapter, tokens["gives later"])
    waiting = await adapter.refund(back(2_900, charge_id=charge_id))
    assert waiting.state is AttemptState.PENDING
    world.decide(waiting.gateway_id)
    later = await adapter.find(back(2_900, charge_id=charge_id), now=2 * DAY)
    assert later is not None
    assert later.state is AttemptState.SUCCEEDED
    assert (await adapter.refund(back(1, key="r2", charge_id=charge_id))).state is AttemptState.FAILED


async def test_a_refund_without_an_answer_is_found_out(gateway):
    adapter, tokens = gateway
    charge_id = await charged(adapter, tokens["gives silently"])
    with pytest.raises(NoAnswerError):
        await adapter.refund(back(900, charge_id=charge_id))
    found = await adapter.find(back(900, charge_id=charge_id), now=DAY)
    assert found is not None
    assert found.state is AttemptState.SUCCEEDED
    assert await adapter.find(back(900, key="r2", charge_id=charge_id), now=DAY) is None


async def test_a_refund_that_never_arrived_is_sent_again(gateway):
    adapter, tokens = gateway
    charge_id = await charged(adapter, tokens["loses refunds"])
    with pytest.raises(NoAnswerError):
        await adapter.refund(back(900, charge_id=charge_id))
    assert await adapter.find(back(900, charge_id=charge_id), now=DAY) is None
    assert (await adapter.refund(back(900, charge_id=charge_id))).state is AttemptState.SUCCEEDED


@pytest.mark.parametrize("state", [AttemptState.SUCCEEDED, AttemptState.FAILED, AttemptState.PENDING])
async def test_an_event_says_what_became_of_an_attempt(world, state):
    news, raw, headers = world.event(state)
    event = await world.gateway.read_event(raw, headers, tenant_id="t", now=DAY + 299_000_000)
    assert (event.time, event.news) == (DAY, news)
    assert event.event_id
    assert event.kind
    again = await world.gateway.read_event(raw, headers, tenant_id="t", now=DAY + 299_000_000)
    assert again == event, "told again, it is the same event"
    other = await world.gateway.read_event(raw, headers, tenant_id="other", now=DAY)
    assert other == replace(event, news=None), "what was begun for one tenant is no news for another"


async def test_an_event_says_what_became_of_a_refund(world):
    """By our id of it, to the tenant whose it is: as what is asked, so what is told."""
    charge_id = await charged(world.gateway, world.tokens["pays"])
    asked_for = back(900, charge_id=charge_id)
    outcome = await world.gateway.refund(asked_for)
    raw, headers = world.refund_event(outcome.gateway_id)
    event = await world.gateway.read_event(raw, headers, tenant_id="t", now=DAY)
    assert event.news == RefundNews(refund_id="r1", charge_id=charge_id, currency="USD", amount=900, outcome=outcome)
    other = await world.gateway.read_event(raw, headers, tenant_id="other", now=DAY)
    assert other == replace(event, news=None)


async def test_what_was_not_signed_so_is_no_event(world):
    _, raw, headers = world.event(AttemptState.SUCCEEDED)
    other = raw.replace(b"2900", b"2901").replace(b"29.00", b"29.01")
    assert other != raw
    for body, shown in (
        (other, headers),
        (raw, {}),
        (raw, dict.fromkeys(headers, "")),
        (raw, dict.fromkeys(headers, "t=,v1=")),
        (raw, world.event(AttemptState.SUCCEEDED, secret="another")[2]),
        (raw, world.event(AttemptState.SUCCEEDED, secret="")[2]),
    ):
        with pytest.raises(UnverifiedEventError):
            await world.gateway.read_event(body, shown, tenant_id="t", now=DAY)
    assert (await world.gateway.read_event(raw, headers, tenant_id="t", now=DAY)).news is not None
    _, raw, headers = world.event(AttemptState.SUCCEEDED, secret="")
    with pytest.raises(UnverifiedEventError):
        await world.without_secret().read_event(raw, headers, tenant_id="t", now=DAY)


async def test_what_is_signed_and_no_event_is_none(world):
    for raw in (b"{}", b"[]", b"no JSON", b'"\xff"'):
        with pytest.raises(UnverifiedEventError):
            await world.gateway.read_event(raw, world.signed(raw), tenant_id="t", now=DAY)


async def test_a_method_is_set_up_described_and_forgotten(world):
    adapter, tokens = world.gateway, world.tokens
    wanted = SetupRequest(tenant_id="t", key="s1", account_id="acme", return_url="https://example.com/back")
    if world.pages:
        setup = await adapter.begin_setup(wanted)
        assert await adapter.begin_setup(wanted) == setup
        assert setup.url.startswith("https://")
    else:
        with pytest.raises(InvalidFieldError, match="checkout"):
            await adapter.begin_setup(wanted)
    token = tokens["pays"]
    assert (await adapter.describe(token)).last4
    await adapter.detach(token)
    await adapter.detach(token)


@pytest.fixture(params=REAL)
async def spoken(request, tmp_path):
    """A gateway that is spoken to over HTTP."""
    async with WORLDS[request.param](tmp_path) as made:
        yield made


FAULTS = {"silent": True, "lost": False, "hangs": True, "broken": True, "busy": False}
"""What happens on the way, and whether it was done nevertheless."""


@pytest.mark.parametrize("fault", FAULTS)
async def test_whatever_happens_on_the_way_it_is_charged_once(spoken, fault, caplog, capfd):
    caplog.set_level(logging.INFO, logger="tallygate")
    adapter, request = spoken.gateway, asked(spoken.tokens[fault])
    with pytest.raises(NoAnswerError) as raised:
        await adapter.charge(request)
    found = await adapter.find(request, now=DAY)
    assert (found is not None) is FAULTS[fault]
    again = found or await adapter.charge(request)
    assert again.state is AttemptState.SUCCEEDED
    assert await adapter.find(request, now=DAY) == again
    assert spoken.taken() == 1
    assert capfd.readouterr() == ("", ""), "libraries print nothing"
    told = caplog.text + str(raised.value) + repr(raised.value) + repr(adapter)
    for text in spoken.secret_texts:
        assert text not in told


async def test_who_hangs_is_waited_for_as_long_as_was_said(spoken):
    began = monotonic()
    with pytest.raises(NoAnswerError):
        await spoken.gateway.charge(asked(spoken.tokens["hangs"]))
    assert SECONDS <= monotonic() - began < spoken.stand_in.hang_seconds


async def test_amounts_are_written_as_the_gateway_counts_them_or_not_sent(spoken):
    for turn, (currency, amount, sent) in enumerate(spoken.amounts):
        request = asked(spoken.tokens["pays"], key=f"k{turn}", currency=currency, amount=amount)
        before = len(spoken.stand_in.requests)
        outcome = await spoken.gateway.charge(request)
        if sent is None:
            assert (outcome.state, outcome.advice) == (AttemptState.FAILED, Advice.NEW_METHOD)
            assert outcome.reason == "amount_not_expressible"
            assert len(spoken.stand_in.requests) == before
            assert await spoken.gateway.find(request, now=DAY) == outcome
        else:
            assert outcome.state is AttemptState.SUCCEEDED
            assert spoken.sent() == sent
            charge = outcome.gateway_id
            some = replace(back(amount, key=f"r{turn}", charge_id=charge), currency=currency)
            assert (await spoken.gateway.refund(some)).state is AttemptState.SUCCEEDED


async def test_less_than_the_least_charge_is_refused_for_now(spoken):
    outcome = await spoken.gateway.charge(asked(spoken.tokens["pays"], amount=1))
    assert (outcome.state, outcome.advice) == (AttemptState.FAILED, Advice.RETRY_LATER)
    assert outcome.reason
    assert spoken.taken() == 0


async def test_what_was_taken_for_a_tenant_in_a_time_is_settled(spoken):
    adapter, token = spoken.gateway, spoken.tokens["pays"]
    days = []
    for day in range(1, 6):
        spoken.at(DAY * day)
        days.append(await adapter.charge(asked(token, key=f"k{day}", time=DAY * day, amount=1_000 + day)))
    spoken.at(2 * DAY)
    await adapter.charge(replace(asked(token, key="k2", time=2 * DAY), tenant_id="other"))
    await adapter.charge(asked(spoken.tokens["refused"], key="k6", time=2 * DAY))
    spoken.at(5 * DAY)
    given = await adapter.refund(back(2, charge_id=days[1].gateway_id))
    disputed = [spoken.stand_in.dispute(one.gateway_id) for one in (days[1], days[2])]
    spoken.at(6 * DAY)
    found = await adapter.settled("t", start=2 * DAY, end=4 * DAY, now=6 * DAY)
    assert {(one.kind, one.gateway_id, one.currency, one.amount, one.charge_id) for one in found} == {
        (SettlementKind.CHARGE, days[1].gateway_id, "USD", 1_002, ""),
        (SettlementKind.CHARGE, days[2].gateway_id, "USD", 1_003, ""),
        (SettlementKind.REFUND, given.gateway_id, "USD", 2, days[1].gateway_id),
        (SettlementKind.DISPUTE, named(disputed[0]), "USD", 1_002, days[1].gateway_id),
        (SettlementKind.DISPUTE, named(disputed[1]), "USD", 1_003, days[2].gateway_id),
    }


def named(dispute):
    return dispute.get("id") or dispute["dispute_id"]


async def test_another_house_keeps_silent_about_who_is_not_known_there(spoken, caplog):
    secrets = {name: spoken.strangers.get(name, value) for name, value in spoken.credentials.secrets.items()}
    stranger = spoken.adapter.open(Credentials(secrets=secrets))
    for ask in (
        stranger.charge(asked(spoken.tokens["pays"])),
        stranger.find(asked(spoken.tokens["pays"]), now=DAY),
        stranger.describe(spoken.tokens["pays"]),
        stranger.settled("t", start=DAY, end=2 * DAY, now=2 * DAY),
    ):
        with pytest.raises(NoAnswerError):
            await ask
    with pytest.raises(StrangerError):
        await stranger.check()
    assert spoken.taken() == 0
    for text in (*spoken.secret_texts, *spoken.strangers.values()):
        assert text not in caplog.text


async def test_whether_a_gateway_knows_us_is_asked_and_moves_nothing(world):
    assert await world.gateway.check() is None
    if world.stand_in is not None:
        assert world.stand_in.requests
        assert world.taken() == 0
        world.stand_in.fault(BUSY, method="GET")
        world.stand_in.fault(BUSY, method="POST")
        with pytest.raises(NoAnswerError) as raised:
            await world.gateway.check()
        assert not isinstance(raised.value, StrangerError)


async def test_a_secret_that_cannot_be_one_is_named(spoken):
    for name in spoken.strangers:
        with pytest.raises(InvalidFieldError) as raised:
            spoken.adapter.open(Credentials(secrets=dict(spoken.credentials.secrets) | {name: "no\nsecret"}))
        assert raised.value.metadata["field"] == f"credentials[{name}]"
        assert "no\nsecret" not in str(raised.value)
        assert "no\nsecret" not in str(raised.value.metadata)
