"""What an account may do for itself with a key of its own: one table of what may be asked for, and of whom that is."""

from collections.abc import Awaitable, Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import Message

from tallygate.domain.credential import KeyRecord
from tallygate.domain.errors import AccountNotFoundError, ErrorReason, PermissionError_


class NotSelfServiceError(PermissionError_):
    """The key is bound to an account, and this is for its seller to say."""

    reason = ErrorReason.NOT_SELF_SERVICE


@dataclass(frozen=True, slots=True, kw_only=True)
class Own:
    """What of a request an account may set itself, by path, and where the request says whose it is (nowhere: empty).

    What is named by a document is checked by whoever reads the document.
    """

    fields: Collection[str]
    account: Collection[str] = ("account_id",)


_PAGE = ("page_size", "page_token")
_PLAN = ("plan_key", "when", "invoice", "reason")
_ORDERED = ("plan_key", "add_ons", "advance_length")
_BOOKED = ("seats", "users")
_ITEMS = (
    *(f"items.subscription.{name}" for name in (*_ORDERED, *_BOOKED)),
    "items.quota.feature_key",
    "items.quota.quantity",
)
_QUOTED = (*_ORDERED, *_BOOKED, "usage", "country", "region", "coupon_codes")
_CHANGES = ("change_plan", "set_add_on", "cancel", "quantity", "book")
SELF_SERVICE: dict[str, Own] = {
    "AccountService/GetAccount": Own(fields=()),
    "SubscriptionService/GetSubscription": Own(fields=("subscription_id",)),
    "SubscriptionService/ListSubscriptions": Own(fields=("plan_key", "state", *_PAGE)),
    "SubscriptionService/ChangePlan": Own(fields=("plan_key", "invoice", "reason")),
    "SubscriptionService/SetAddOn": Own(fields=("add_on_key", "quantity", "invoice", "reason")),
    "SubscriptionService/BookQuantity": Own(fields=("feature_key", "quantity", "invoice", "reason")),
    "SubscriptionService/CancelSubscription": Own(fields=("reason",)),
    "SubscriptionService/RenewSubscription": Own(fields=("end_time", "reason")),
    "ChargeService/GetChargeLimit": Own(fields=("product_key",)),
    "ChargeService/RaiseChargeLimit": Own(fields=("limit",)),
    "ChargeService/ListCharges": Own(fields=()),
    "ChargeService/ListChargeRuns": Own(fields=()),
    "BillingService/PreviewInvoice": Own(fields=()),
    "BillingService/GetWallet": Own(fields=_PAGE),
    "BillingService/GetBillingProfile": Own(fields=()),
    "PricingService/PreviewChange": Own(fields=_CHANGES, account=tuple(f"{name}.account_id" for name in _CHANGES)),
    "PricingService/Quote": Own(fields=_QUOTED),
    "PricingService/ComparePlans": Own(fields=("start_time", "end_time")),
    "InvoiceService/GetInvoice": Own(fields=("invoice_id",), account=()),
    "InvoiceService/ListInvoices": Own(fields=("state", "kind", "start_time", "end_time", "text", *_PAGE)),
    "InvoiceService/ExplainLine": Own(fields=("invoice_id", "line", "line_key"), account=()),
    "InvoiceService/RenderInvoice": Own(fields=("invoice_id", "format", "locale"), account=()),
    "DiscountService/CheckCoupon": Own(fields=("code", "plan_key")),
    "DiscountService/ListPaymentOptions": Own(fields=("plan_key", "coupon_code"), account=()),
    "OrderService/CreateOrder": Own(fields=("order_id", "coupon_codes", *_ITEMS)),
    "OrderService/CompleteOrder": Own(fields=("order_id", "terms_version", "accepted_total"), account=()),
    "OrderService/GetOrder": Own(fields=("order_id",), account=()),
    "OrderService/ListOrders": Own(fields=("state", *_PAGE)),
    "OrderService/RedeemClaim": Own(fields=("code",)),
    "PaymentService/BeginSetup": Own(fields=("setup_id", "gateway", "return_url")),
    "PaymentService/AttachMethod": Own(fields=("method_id", "token", "gateway", "default")),
    "PaymentService/ListMethods": Own(fields=()),
    "PaymentService/SetDefaultMethod": Own(fields=("method_id",)),
    "PaymentService/DetachMethod": Own(fields=("method_id",)),
    "PaymentService/Pay": Own(fields=("invoice_id", "method_id", "attempt_id"), account=()),
    "PaymentService/ListPayments": Own(fields=("invoice_id", *_PAGE)),
}
"""By `service/method`; what is not here no key that is bound to an account may call."""


def bind(method: str, request: Message, key: KeyRecord) -> None:
    """Let a request be about the account that a key is bound to, and about nothing else.

    Raises:
        AccountNotFoundError: it is about another one, as if that were not there.
        NotSelfServiceError: it says what is its seller's to say.
    """
    own = SELF_SERVICE[method]
    for path in own.account:
        holder, _, name = path.rpartition(".")
        if holder and not request.HasField(holder):
            continue
        place: Any = getattr(request, holder) if holder else request
        named = getattr(place, name)
        if named not in {"", key.account_id}:
            raise AccountNotFoundError(account_id=named)
        setattr(place, name, key.account_id)
    for path in _set(request, "", {*own.fields, *own.account}):
        raise NotSelfServiceError(field=path, key_id=key.key_id)


async def name_of(key: KeyRecord, name: str, holder: Callable[[str], Awaitable[str | None]]) -> str:
    """What something is called that a caller gives an id to, or asks for by it; `holder` says whose an id is, if any.

    Accounts give their ids apart from one another: with a key that is bound to one an id is kept behind the account's,
    unless the account has one that is called so already. So nobody learns or takes what another account's are called.
    """
    if not key.account_id or not name or await holder(name) == key.account_id:
        return name
    return own_name(key.account_id, name)


def own_name(account_id: str, name: str) -> str:
    """An id that an account gives: no two accounts' are alike, whatever is in them."""
    prefix = f"{len(account_id)}/{account_id}/"
    return name if name.startswith(prefix) else f"{prefix}{name}"


def _set(message: Message, path: str, allowed: Collection[str]) -> Iterator[str]:
    """The fields that are set and not allowed."""
    for field, value in message.ListFields():
        place = f"{path}.{field.name}" if path else field.name
        if place in allowed:
            continue
        if field.message_type is None or not any(each.startswith(f"{place}.") for each in allowed):
            yield place
            continue
        for inner in [value] if isinstance(value, Message) else value:
            yield from _set(inner, place, allowed)
