"""The built-in gateway: takes no money, and does what a token's name says. Its books are a table of their own.

fake_ok pays. fake_decline is refused until another method comes, fake_never for good. fake_later is refused once and
then pays, fake_later_3 three times. fake_pending waits an hour for its payer,
fake_pending_5 five seconds. fake_timeout pays and does not answer;
fake_timeout_before does not answer, and has not been asked. fake_dispute pays, and its holder disputes that at once;
of fake_dispute_won and fake_dispute_lost the bank decides three seconds later.
What fake_refund_decline paid is not given back, of fake_refund_later not at the first try, of fake_refund_later_3 not
at three; fake_refund_pending gives back an hour later; fake_refund_timeout and fake_refund_timeout_before do not answer
when they are asked to.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from tallygate.billing.ports import (
    Card,
    ChargeRequest,
    Credentials,
    NoAnswerError,
    RefundRequest,
    SecretName,
    Setup,
    SetupRequest,
)
from tallygate.billing.settlements import Settlement, SettlementKind, settled_dispute
from tallygate.domain.billing.gateway_events import DisputeNews, DisputeState, GatewayEvent
from tallygate.domain.billing.payments import Advice, AttemptState, Outcome
from tallygate.domain.billing.refunds import refund_of
from tallygate.domain.errors import InvalidFieldError
from tallygate.gateways import fake_events
from tallygate.gateways.fake_events import FakeTeller
from tallygate.records.payments import FakeCharge, FakeCharges, FakeRefund, FakeRefunds

NAME = "fake"
_TOKEN = re.compile(
    r"fake_(ok|decline|never|later|pending|timeout_before|timeout|dispute_won|dispute_lost|dispute"
    r"|refund_decline|refund_later|refund_pending|refund_timeout_before|refund_timeout)(?:_(\d{1,3}))?"
)
_HOUR = 3_600_000_000
_SILENT = {"timeout", "timeout_before"}
_BACK = "refund_"
"""What a token says of giving back begins with it; taking, it pays."""
_REFUSED = {
    "decline": (Advice.NEW_METHOD, "card_declined"),
    "never": (Advice.NEVER, "stolen_card"),
    "later": (Advice.RETRY_LATER, "insufficient_funds"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class FakeAdapter:
    """Opens the built-in gateway, whose only secret is what it signs its events with."""

    books: FakeCharges
    refunds: FakeRefunds
    teller: FakeTeller | None = None
    secrets: Sequence[SecretName] = (SecretName(name=fake_events.SECRET, required=False, hears=True),)

    def open(self, credentials: Credentials) -> "FakeGateway":
        """The gateway as a tenant sees it."""
        return FakeGateway(books=self.books, refunds=self.refunds, teller=self.teller, credentials=credentials)


@dataclass(frozen=True, slots=True, kw_only=True)
class FakeGateway:
    """A gateway for tests, demos and whoever tries Tallygate."""

    books: FakeCharges
    refunds: FakeRefunds
    teller: FakeTeller | None = None
    credentials: Credentials = field(default_factory=Credentials)
    keeps_keys: bool = True
    settles: Collection[SettlementKind] = tuple(SettlementKind)

    async def charge(self, request: ChargeRequest) -> Outcome:
        """Do what the token says, once a key, and tell what became of it."""
        try:
            return await self._charged(request)
        finally:
            if self.teller is not None and self.credentials.get(fake_events.SECRET):
                known = await self.books.get(request.tenant_id, request.key)
                if known is not None:
                    await self.teller.tell(known, _outcome, waits=_confirmed_after(request.token))
                    await self.teller.tell_disputes(known, _disputes(known))

    async def _charged(self, request: ChargeRequest) -> Outcome:
        word, number = _script(request.token)
        known = await self.books.get(request.tenant_id, request.key)
        if known is None:
            state = await self._decided(request, word, number)
            known = _charge(request, state)
            if not await self.books.add(known):
                known = await self.books.get(request.tenant_id, request.key) or known
            if word in _SILENT:
                raise NoAnswerError
        elif known.state is AttemptState.UNKNOWN:  # it did not arrive the first time
            await self.books.settle(known, AttemptState.SUCCEEDED)
            return _outcome(_charge(request, AttemptState.SUCCEEDED))
        return _outcome(known)

    async def refund(self, request: RefundRequest) -> Outcome:
        """Do what the token says that was charged, once a key."""
        charge = await self.books.get(request.tenant_id, request.payment_id)
        word, number = _back(charge)
        known = await self.refunds.get(request.tenant_id, request.key)
        if known is None:
            known = await self.refunds.add(_refund(request, _gives_back(word, number, _tries(request.key))))
            if word in _SILENT and known.state is not AttemptState.FAILED:
                raise NoAnswerError
        elif known.state is AttemptState.UNKNOWN:  # it did not arrive the first time
            return await self._settled_refund(known)
        return _outcome_of(known, word)

    async def find(self, request: ChargeRequest | RefundRequest, *, now: int) -> Outcome | None:
        """What became of a request."""
        if isinstance(request, RefundRequest):
            return await self._find_refund(request, now=now)
        known = await self.books.get(request.tenant_id, request.key)
        if known is None or known.state is AttemptState.UNKNOWN:
            return None
        if known.state is AttemptState.PENDING and now >= known.create_time + _HOUR:
            await self.books.settle(known, AttemptState.SUCCEEDED)
            return _outcome(_charge(request, AttemptState.SUCCEEDED))
        return _outcome(known)

    async def read_event(self, raw: bytes, headers: Mapping[str, str], *, tenant_id: str, now: int) -> GatewayEvent:
        """An event that it has signed."""
        return fake_events.read(raw, headers, self.credentials.get(fake_events.SECRET), tenant_id=tenant_id, now=now)

    async def check(self) -> None:
        """It knows everybody."""

    async def begin_setup(self, request: SetupRequest) -> Setup:
        """Nothing has to be left here: the token is known at once."""
        setup_id = f"seti_{request.key}"
        return Setup(gateway_id=setup_id, url=f"https://fake.invalid/setup/{setup_id}", token="fake_ok")  # noqa: S106 - a word

    async def describe(self, token: str) -> Card:
        """A card that nobody has."""
        _script(token)
        return Card(brand=NAME, last4="0000", expiry_year=2099, expiry_month=12)

    async def detach(self, token: str) -> None:
        """Its tokens are words, which nobody can forget."""
        _script(token)

    async def settled(self, tenant_id: str, *, start: int, end: int, now: int) -> Sequence[Settlement]:
        """What it took, gave back, and had taken from it."""
        taken = await self.books.succeeded(tenant_id, start=start, end=end)
        back = await self.refunds.succeeded(tenant_id, start=start, end=now)
        disputed = [settled_dispute(news) for charge in taken for news in _disputes(charge)[-1:]]
        return [*map(_settled, taken), *map(_settled_back, back), *disputed]

    async def _find_refund(self, request: RefundRequest, *, now: int) -> Outcome | None:
        known = await self.refunds.get(request.tenant_id, request.key)
        if known is None or known.state is AttemptState.UNKNOWN:
            return None
        if known.state is AttemptState.PENDING and now >= known.create_time + _HOUR:
            return await self._settled_refund(known)
        word, _ = _back(await self.books.get(request.tenant_id, known.charge_key))
        return _outcome_of(known, word)

    async def _settled_refund(self, known: FakeRefund) -> Outcome:
        await self.refunds.settle(known, AttemptState.SUCCEEDED)
        return Outcome(state=AttemptState.SUCCEEDED, gateway_id=known.refund_id)

    async def _decided(self, request: ChargeRequest, word: str, number: int) -> AttemptState:
        match word:
            case "decline" | "never":
                return AttemptState.FAILED
            case "later":
                before = await self.books.count(request.tenant_id, request.account_id, request.token)
                return AttemptState.FAILED if before < number else AttemptState.SUCCEEDED
            case "pending":
                return AttemptState.PENDING
            case "timeout_before":
                return AttemptState.UNKNOWN
            case _:
                return AttemptState.SUCCEEDED


def _confirmed_after(token: str) -> int:
    """How many seconds a payer takes who is waited for; 0: an hour, by the tenant's clock."""
    found = _TOKEN.fullmatch(token)
    return int(found[2] or 0) if found is not None and found[1] == "pending" else 0


def _tries(key: str) -> int:
    """How often it was refused before."""
    return int(key.rpartition("-")[2]) if refund_of(key) != key else 0


def _gives_back(word: str, number: int, tries: int) -> AttemptState:
    match word:
        case "decline":
            return AttemptState.FAILED
        case "later":
            return AttemptState.FAILED if tries < number else AttemptState.SUCCEEDED
        case "pending":
            return AttemptState.PENDING
        case "timeout_before":
            return AttemptState.UNKNOWN
        case _:
            return AttemptState.SUCCEEDED


def _script(token: str) -> tuple[str, int]:
    found = _TOKEN.fullmatch(token)
    if found is None:
        words = "ok, decline, never, later, pending, timeout, timeout_before, dispute, dispute_won, dispute_lost"
        expected = f"fake_ and one of {words}, or refund_ and decline, later, pending, timeout or timeout_before"
        raise InvalidFieldError(field="token", expected=expected)
    return found[1], int(found[2] or 1)


def _charge(request: ChargeRequest, state: AttemptState) -> FakeCharge:
    return FakeCharge(
        tenant_id=request.tenant_id,
        key=request.key,
        charge_id=f"ch_{request.key}",
        account_id=request.account_id,
        token=request.token,
        currency=request.currency,
        amount=request.amount,
        state=state,
        create_time=request.time,
    )


def _outcome(charge: FakeCharge) -> Outcome:
    word, _ = _script(charge.token)
    if charge.state is AttemptState.FAILED:
        advice, reason = _REFUSED[word]
        return Outcome(state=charge.state, gateway_id=charge.charge_id, advice=advice, reason=reason)
    url = f"https://fake.invalid/confirm/{charge.charge_id}" if charge.state is AttemptState.PENDING else ""
    return Outcome(state=charge.state, gateway_id=charge.charge_id, next_action_url=url)


def _refund(request: RefundRequest, state: AttemptState) -> FakeRefund:
    return FakeRefund(
        tenant_id=request.tenant_id,
        key=request.key,
        refund_id=f"re_{request.key}",
        charge_key=request.payment_id,
        currency=request.currency,
        amount=request.amount,
        state=state,
        create_time=request.time,
    )


def _back(charge: FakeCharge | None) -> tuple[str, int]:
    """What becomes of money that a charge took and that is to go back, as its token says."""
    word, number = _script(charge.token) if charge is not None else ("", 0)
    return word.removeprefix(_BACK), number


def _outcome_of(refund: FakeRefund, word: str) -> Outcome:
    """The same whenever it is asked: who did not hear why it was refused hears it later."""
    outcome = Outcome(state=refund.state, gateway_id=refund.refund_id)
    if refund.state is not AttemptState.FAILED:
        return outcome
    if word == "later":
        return replace(outcome, advice=Advice.RETRY_LATER, reason="insufficient_funds")
    return replace(outcome, advice=Advice.NEVER, reason="cannot_be_given_back")


def _settled(charge: FakeCharge) -> Settlement:
    return Settlement(gateway_id=charge.charge_id, currency=charge.currency, amount=charge.amount)


def _settled_back(refund: FakeRefund) -> Settlement:
    return Settlement(
        kind=SettlementKind.REFUND,
        gateway_id=refund.refund_id,
        currency=refund.currency,
        amount=refund.amount,
        charge_id=f"ch_{refund.charge_key}",
    )


def _disputes(charge: FakeCharge) -> list[DisputeNews]:
    """What there is to tell of the dispute of a charge, in order; nothing where its holder disputes none."""
    word, _ = _script(charge.token)
    of, _, decided = word.partition("_")
    if of != "dispute" or charge.state is not AttemptState.SUCCEEDED:
        return []
    opened = DisputeNews(
        dispute_id=f"dp_{charge.key}",
        charge_id=charge.charge_id,
        currency=charge.currency,
        amount=charge.amount,
        state=DisputeState.OPENED,
        reason="fraudulent",
    )
    return [opened, replace(opened, state=DisputeState(decided))] if decided else [opened]
