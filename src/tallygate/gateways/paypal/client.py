"""PayPal's library: what is asked of it. Each answer is a document; how it is refused is said by an issue, a code."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from apimatic_core.authentication.multiple.single_auth import Single
from apimatic_core.request_builder import RequestBuilder
from apimatic_core.response_handler import ResponseHandler
from apimatic_core.types.parameter import Parameter
from paypalserversdk.api_helper import APIHelper
from paypalserversdk.configuration import Configuration, Server
from paypalserversdk.http.auth.o_auth_2 import ClientCredentialsAuthCredentials
from paypalserversdk.http.http_method_enum import HttpMethodEnum
from paypalserversdk.paypal_serversdk_client import PaypalServersdkClient
from typing_extensions import override

from tallygate.gateways.asking import NO_TRAIL, Trail
from tallygate.gateways.blocking_http import BoundSession
from tallygate.gateways.paypal.answers import link

WHOLE = "return=representation"
_DISPUTES = 50
"""Disputes of a page."""
Record = dict[str, Any]


class _Place(Configuration):  # type: ignore[misc] # it has no types
    """The library knows two addresses; this is any."""

    def __init__(self, url: str, session: BoundSession, credentials: object) -> None:
        self._url = url
        super().__init__(http_client_instance=session, max_retries=0, client_credentials_auth_credentials=credentials)

    @override
    def get_base_uri(self, server: object = Server.DEFAULT) -> str:
        return self._url


@dataclass(slots=True, kw_only=True)
class Client:
    """PayPal with one app's credentials, for which it gives a token; one that it takes no more is forgotten."""

    place: _Place = field(repr=False)
    session: BoundSession = field(repr=False)
    _api: Any = field(default=None, repr=False)

    @property
    def api(self) -> Any:  # noqa: ANN401 - it has no types
        """The library, with a token of its own."""
        if self._api is None:
            self._api = PaypalServersdkClient(config=self.place)
        return self._api

    def forget(self) -> None:
        """Ask for another token next time."""
        self._api = None

    def check(self) -> None:
        """Ask for a token, which moves nothing."""
        self.api.oauth_2.fetch_token()

    def create_order(self, body: Record, key: str) -> Record:
        """An order; of a key there is one."""
        options = {"body": body, "paypal_request_id": key, "prefer": WHOLE}
        return _read(self.api.orders.create_order(options))

    def get_order(self, order_id: str) -> Record:
        """An order, with what was captured of it and given back."""
        return _read(self.api.orders.get_order({"id": order_id}))

    def capture_order(self, order_id: str, source: Record, key: str) -> Record:
        """Take the money of an order."""
        body = {"payment_source": source} if source else {}
        options = {"id": order_id, "body": body, "paypal_request_id": key, "prefer": WHOLE}
        return _read(self.api.orders.capture_order(options))

    def get_capture(self, capture_id: str) -> Record:
        """What was taken."""
        return _read(self.api.payments.get_captured_payment({"capture_id": capture_id}))

    def refund(self, capture_id: str, body: Record, key: str) -> Record:
        """Give back of what was taken."""
        options = {"capture_id": capture_id, "body": body, "paypal_request_id": key, "prefer": WHOLE}
        return _read(self.api.payments.refund_captured_payment(options))

    def get_token(self, token: str) -> Record:
        """A saved method."""
        return _read(self.api.vault.get_payment_token(token))

    def delete_token(self, token: str) -> None:
        """Forget a saved method."""
        self.api.vault.delete_payment_token(token)

    def create_setup(self, body: Record, key: str) -> Record:
        """A method that its owner has yet to approve."""
        return _read(self.api.vault.create_setup_token({"body": body, "paypal_request_id": key}))

    def transactions(self, **wanted: object) -> Record:
        """A page of the report of transactions."""
        return _read(self.api.transaction_search.search_transactions(wanted))

    def disputes(self, since: str) -> Iterator[Record]:
        """What was disputed since then, each as it is shown alone."""
        after = ""
        while True:
            wanted = {"start_time": since, "page_size": _DISPUTES} | ({"next_page_token": after} if after else {})
            page = self._asked(_get("/v1/customer/disputes", wanted))
            for one in page.get("items") or []:
                yield self._asked(_get(f"/v1/customer/disputes/{one['dispute_id']}", {}))
            following = link(page, "next")
            if not following:
                return
            after = parse_qs(urlsplit(following).query)["next_page_token"][0]

    def verify(self, body: str) -> Record:
        """Whether PayPal has signed an event."""
        asked = _request("/v1/notifications/verify-webhook-signature", HttpMethodEnum.POST)
        sent = asked.header_param(Parameter().key("Content-Type").value("application/json"))
        return self._asked(sent.body_param(Parameter().value(body)))

    def _asked(self, request: Any) -> Record:  # noqa: ANN401 - it has no types
        """The answer to a question that the library lacks, asked by its own means."""
        handler = ResponseHandler().deserializer(APIHelper.json_deserialize).is_api_response(True)  # noqa: FBT003 - its name says it
        return _read(self.api.orders.new_api_call_builder.request(request).response(handler).execute())


def _request(path: str, method: str) -> Any:  # noqa: ANN401 - as above
    accept = Parameter().key("accept").value("application/json")
    request = RequestBuilder().server(Server.DEFAULT).path(path).http_method(method)
    return request.header_param(accept).auth(Single("Oauth2"))


def _get(path: str, query: Mapping[str, object]) -> Any:  # noqa: ANN401 - as above
    request = _request(path, HttpMethodEnum.GET)
    for name, value in query.items():
        request = request.query_param(Parameter().key(name).value(value))
    return request


def connect(url: str, client_id: str, client_secret: str, trail: Trail = NO_TRAIL) -> Client:
    """The way to PayPal with an app's credentials; nothing is sent yet."""
    session = BoundSession("paypal", trail)
    credentials = ClientCredentialsAuthCredentials(o_auth_client_id=client_id, o_auth_client_secret=client_secret)
    client = Client(place=_Place(url, session, credentials), session=session)
    session.unauthorized = client.forget
    return client


def _read(answer: Any) -> Record:  # noqa: ANN401 - it has no types
    read: Record = json.loads(answer.text)
    return read
