"""What billing needs besides the records: a barrier, payment gateways, and who knows tax ids."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from tallygate.billing.settlements import SettlementSource
from tallygate.domain.billing.gateway_events import GatewayEvent
from tallygate.domain.billing.payments import Outcome
from tallygate.domain.billing.tax_evidence import TaxIdStatus
from tallygate.records.billing import IssuedLines
from tallygate.records.late_usage import UsageLog


class Barrier(Protocol):
    """Proves that the events of accounts are in the log."""

    async def passed(self, tenant_id: str, account_ids: Collection[str]) -> None:
        """Return when every event of the accounts that was admitted before the call is in the log.

        Raises:
            StoreUnavailableError: that cannot be proved now; try again.
        """
        ...


class Sources(Protocol):
    """What documents are derived from besides an account's books."""

    @property
    def tenant_id(self) -> str:
        """Whose they are."""
        ...

    @property
    def issued_lines(self) -> IssuedLines:
        """What was charged already."""
        ...

    @property
    def usage_log(self) -> UsageLog:
        """The facts that are charged."""
        ...


class NoAnswerError(Exception):
    """A gateway did not answer: whether it did what it was asked for is not known."""


class StrangerError(NoAnswerError):
    """A gateway answers, but not us: it does not know the credentials, or what they may do is not enough."""


class UnverifiedEventError(Exception):
    """What came as an event was not signed by its gateway, or is too old to be believed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """What a tenant knows of a gateway that nobody else may, by name. They show themselves nowhere."""

    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)

    def get(self, name: str) -> str:
        """A secret; empty where it was not given."""
        return self.secrets.get(name, "")


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretName:
    """A secret that a gateway asks for, by its name; without a `required` one nothing can be asked.

    What it tells by itself is verified with the one that `hears`.
    """

    name: str
    required: bool = True
    hears: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargeRequest:
    """What a gateway is asked for: minor units of a method's token. Of a `key` there is one effect, however often sent.

    `attempt_id` goes with it, so that it can be found again; `text` is what the payer reads. `time` is the tenant's.
    """

    tenant_id: str
    key: str
    attempt_id: str
    account_id: str
    currency: str
    amount: int
    token: str = field(repr=False)
    text: str
    time: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundRequest:
    """What a gateway is asked to give back of a charge, in minor units. Of a `key` there is one effect.

    `refund_id` goes with it, so that it can be found again.

    `payment_id` is what the charge was asked for by, its key; `charge_id` is the gateway's own id of it.
    """

    tenant_id: str
    key: str
    refund_id: str
    account_id: str
    payment_id: str
    charge_id: str
    currency: str
    amount: int
    text: str
    time: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """What may be shown of what a token stands for."""

    brand: str = ""
    last4: str = ""
    expiry_year: int = 0
    expiry_month: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SetupRequest:
    """An account wants to leave a method of payment with its gateway; of a `key` there is one setup.

    `return_url` is where the payer comes back to.
    """

    tenant_id: str
    key: str
    account_id: str
    return_url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """Where a method is left: the payer goes to `url`, or the gateway's own form is opened with `client_secret`.

    `token` is the method's, where it is known already.
    """

    gateway_id: str
    url: str = ""
    client_secret: str = field(default="", repr=False)
    token: str = field(default="", repr=False)


class PaymentGateway(Protocol):
    """Takes money, and gives it back. What it declines is an outcome, not an error."""

    @property
    def keeps_keys(self) -> bool:
        """Whether the same key is the same request for a day, so that it may be sent again."""
        ...

    async def charge(self, request: ChargeRequest) -> Outcome:
        """Take money.

        Raises:
            NoAnswerError: it may have been taken or not.
        """
        ...

    async def refund(self, request: RefundRequest) -> Outcome:
        """Give back what a charge took, in part or whole; more than is left of it is declined.

        Raises:
            NoAnswerError: it may have been given back or not.
        """
        ...

    async def find(self, request: ChargeRequest | RefundRequest, *, now: int) -> Outcome | None:
        """What became of a request; None where it never arrived. `now` is the tenant's time.

        Raises:
            NoAnswerError: nobody can say now.
        """
        ...

    async def read_event(self, raw: bytes, headers: Mapping[str, str], *, tenant_id: str, now: int) -> GatewayEvent:
        """An event as it came: the very bytes, and headers by their names in lower case. `now` is real time.

        Several tenants may use one account of a gateway's: what was not begun for this one has no news.

        Raises:
            UnverifiedEventError: it was not signed by the gateway, or is too old.
            NoAnswerError: nobody can say now whether it was.
        """
        ...


class MethodVault(Protocol):
    """Where methods of payment are kept: a token is all that leaves it."""

    async def begin_setup(self, request: SetupRequest) -> Setup:
        """Prepare for a payer to leave a method.

        Raises:
            NoAnswerError: nobody can say now.
        """
        ...

    async def describe(self, token: str) -> Card:
        """What may be shown of a token.

        Raises:
            InvalidFieldError: there is no such token.
            NoAnswerError: nobody can say now.
        """
        ...

    async def detach(self, token: str) -> None:
        """Forget a token; one that is not there any more is forgotten already.

        Raises:
            NoAnswerError: nobody can say now.
        """
        ...


class Gateway(PaymentGateway, MethodVault, SettlementSource, Protocol):
    """All that a gateway does for one tenant."""

    async def check(self) -> None:
        """Ask something that moves nothing, to see whether the gateway knows us.

        Raises:
            StrangerError: it does not.
            NoAnswerError: nobody can say now.
        """
        ...


class GatewayAdapter(Protocol):
    """A kind of gateway: what it must know of a tenant, and the way to it."""

    @property
    def secrets(self) -> Sequence[SecretName]:
        """What a tenant's credentials consist of."""
        ...

    def open(self, credentials: Credentials) -> Gateway:
        """The gateway as a tenant sees it; asks nobody yet.

        Raises:
            InvalidFieldError: a secret is none of this gateway's form.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxIdAnswer:
    """What a register says of an id: whether somebody holds it, by what that can be proved later, and who it is."""

    status: TaxIdStatus
    reference: str = ""
    name: str = ""


class TaxIdVerifier(Protocol):
    """A register of tax ids."""

    @property
    def name(self) -> str:
        """What it is called; empty: there is none to ask."""
        ...

    def has_form(self, tax_id: str) -> bool:
        """Whether an id of the European Union is written as one, with the right check digits; nobody need hold it."""
        ...

    async def ask(self, tax_id: str, *, requester: str) -> TaxIdAnswer:
        """What it says of an id to the holder of another one (empty: to nobody), UNAVAILABLE where it says nothing."""
        ...
