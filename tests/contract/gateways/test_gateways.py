"""AR-07: one suite for every gateway: what is asked once has one effect, and what nobody knows can be found out."""

from dataclasses import replace

import pytest

from tallygate.billing.ports import (
    ChargeRequest,
    Credentials,
    NoAnswerError,
    RefundRequest,
    SetupRequest,
    UnverifiedEventError,
)
from tallygate.domain.billing.gateway_events import ChargeNews
from tallygate.domain.billing.payments import Advice, AttemptState, Outcome
from tallygate.domain.errors import InvalidFieldError
from tallygate.gateways.fake import FakeAdapter
from tallygate.gateways.fake_events import HEADER, charge_event
from tallygate.gateways.signed import signature
from tallygate.storage.sql.billing.fake_charges import SqlFakeCharges
from tallygate.storage.sql.billing.fake_refunds import SqlFakeRefunds
from tallygate.storage.sql.engine import create_engine
from tallygate.storage.sql.schema import migrate

DAY = 86_400_000_000
TOKENS = {
    "fake": {
        "pays": "fake_ok",
        "refused": "fake_decline",
        "never": "fake_never",
        "later": "fake_later_2",
        "waits": "fake_pending",
        "silent": "fake_timeout",
        "lost": "fake_timeout_before",
        "keeps": "fake_refund_decline",
        "gives later": "fake_refund_pending",
        "gives silently": "fake_refund_timeout",
        "loses refunds": "fake_refund_timeout_before",
    }
}
"""By gateway what each token stands for."""


@pytest.fixture(params=TOKENS)
async def gateway(request, tmp_path):
    """An adapter with a gateway behind it that nobody has asked for anything."""
    url = f"sqlite:///{tmp_path}/gateway.db"
    migrate(url)
    engine = create_engine(url)
    adapter = FakeAdapter(books=SqlFakeCharges(engine=engine), refunds=SqlFakeRefunds(engine=engine))
    yield adapter.open(Credentials(secrets={"webhook_secret": SECRET})), TOKENS[request.param]
    await engine.dispose()


def asked(token, *, key="k1", **more):
    return ChargeRequest(
        tenant_id="t",
        key=key,
        attempt_id=key,
        account_id="acme",
        currency="USD",
        amount=2_900,
        token=token,
        text="INV INV-2026-000001",
        time=DAY,
        **more,
    )


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
    assert adapter.keeps_keys
    assert (await adapter.charge(asked(tokens["lost"]))).state is AttemptState.SUCCEEDED


async def test_what_waits_says_where_to_go_and_is_decided_later(gateway):
    adapter, tokens = gateway
    waiting = await adapter.charge(asked(tokens["waits"]))
    assert waiting.state is AttemptState.PENDING
    assert waiting.next_action_url.startswith("https://")
    later = await adapter.find(asked(tokens["waits"]), now=2 * DAY)
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


async def test_a_refund_that_waits_is_decided_later(gateway):
    adapter, tokens = gateway
    charge_id = await charged(adapter, tokens["gives later"])
    assert (await adapter.refund(back(2_900, charge_id=charge_id))).state is AttemptState.PENDING
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


SECRET = "s3cret"


def told(state=AttemptState.SUCCEEDED, *, secret=SECRET, now=DAY):
    """An event of the built-in gateway, as bytes and headers."""
    outcome = Outcome(state=state, gateway_id="ch_k1")
    news = ChargeNews(attempt_id="k1", currency="USD", amount=2_900, outcome=outcome)
    raw = charge_event("ev_1", time=DAY, news=news)
    return news, raw, {HEADER: signature(raw, secret, now=now)}


@pytest.mark.parametrize("state", [AttemptState.SUCCEEDED, AttemptState.FAILED, AttemptState.PENDING])
async def test_an_event_says_what_became_of_an_attempt(gateway, state):
    adapter, _ = gateway
    news, raw, headers = told(state)
    event = await adapter.read_event(raw, headers, now=DAY + 299_000_000)
    assert (event.event_id, event.kind, event.time, event.news) == ("ev_1", f"charge.{state.value}", DAY, news)


async def test_what_was_not_signed_so_and_lately_is_no_event(gateway):
    adapter, _ = gateway
    _, raw, headers = told()
    signed = headers[HEADER]
    other = raw.replace(b"2900", b"2901")
    assert other != raw
    for body, header, now in (
        (other, signed, DAY),
        (raw, "", DAY),
        (raw, "t=,v1=", DAY),
        (raw, signed.replace("t=86400", "t=86401"), DAY),
        (raw, told(secret="another")[2][HEADER], DAY),
        (raw, told(secret="")[2][HEADER], DAY),
        (raw, signed, DAY + 301_000_000),
        (raw, signed, DAY - 301_000_000),
        (b"{}", signature(b"{}", SECRET, now=DAY), DAY),
    ):
        with pytest.raises(UnverifiedEventError):
            await adapter.read_event(body, {HEADER: header}, now=now)
    assert (await adapter.read_event(raw, {HEADER: f"{signed},v1=00"}, now=DAY)).event_id == "ev_1"
    without = replace(adapter, credentials=Credentials())
    with pytest.raises(UnverifiedEventError):
        await without.read_event(raw, told(secret="")[2], now=DAY)


async def test_a_method_is_set_up_described_and_forgotten(gateway):
    adapter, _ = gateway
    wanted = SetupRequest(tenant_id="t", key="s1", account_id="acme", return_url="https://example.com/back")
    setup = await adapter.begin_setup(wanted)
    assert await adapter.begin_setup(wanted) == setup
    assert setup.url.startswith("https://")
    assert (await adapter.describe(setup.token)).last4
    await adapter.detach(setup.token)
