"""VIES, the European Union's register of VAT numbers, by its REST service; python-stdnum knows their form."""

import asyncio
import json
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import urlsplit

from tallygate.billing.ports import TaxIdAnswer
from tallygate.domain.billing.tax_evidence import GREECE, GREEK_PREFIX, TaxIdStatus, country_of
from tallygate.gateways.asking import NO_TRAIL, Trail

_MOST_BYTES = 65_536
_HIDDEN = {"---", ""}
"""What member states say that tell nobody's name."""
_NO_ANSWER = TaxIdAnswer(status=TaxIdStatus.UNAVAILABLE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Vies:
    """The service at a URL; with an empty one nothing is asked, only the form of ids is known."""

    url: str
    timeout: float
    trail: Trail = NO_TRAIL

    @property
    def name(self) -> str:
        """What it is called; empty: there is none to ask."""
        return "VIES" if self.url else ""

    def has_form(self, tax_id: str) -> bool:
        """Whether an id is written as one of the European Union, with the right check digits."""
        from stdnum.eu import vat  # noqa: PLC0415 - loaded when the first id is verified

        return bool(vat.is_valid(tax_id))

    async def ask(self, tax_id: str, *, requester: str) -> TaxIdAnswer:
        """What it says of an id; UNAVAILABLE where a member state, or the service itself, does not answer in time."""
        state, number = _parts(tax_id)
        asked = {"countryCode": state, "vatNumber": number}
        if requester:
            own_state, own_number = _parts(requester)
            asked |= {"requesterMemberStateCode": own_state, "requesterNumber": own_number}
        try:
            with self.trail.asking(self.name):
                async with asyncio.timeout(self.timeout):
                    told = await asyncio.to_thread(self._post, asked)
        except (OSError, HTTPException, ValueError):  # a time-out is an OSError, text that is no JSON a ValueError
            return _NO_ANSWER
        return _answer(told)

    def _post(self, asked: dict[str, str]) -> object:
        place = urlsplit(self.url)
        kind = HTTPSConnection if place.scheme == "https" else HTTPConnection
        connection = kind(place.hostname or "", place.port, timeout=self.timeout)
        try:
            path = f"{place.path.rstrip('/')}/check-vat-number"
            headers = {"Content-Type": "application/json", "Accept": "application/json", **self.trail.headers()}
            connection.request("POST", path, body=json.dumps(asked), headers=headers)
            return json.loads(connection.getresponse().read(_MOST_BYTES))
        finally:
            connection.close()


def _parts(tax_id: str) -> tuple[str, str]:
    """The member state as VIES names it, and the number without it."""
    text = "".join(character for character in tax_id.upper() if character.isalnum())
    country = country_of(text)
    return GREEK_PREFIX if country == GREECE else country, text[2:]


def _answer(told: object) -> TaxIdAnswer:
    """`valid` says it; without it `errorWrappers` say why nobody can tell, as MS_UNAVAILABLE or TIMEOUT."""
    if not isinstance(told, dict) or not isinstance(told.get("valid"), bool):
        return _NO_ANSWER
    name = str(told.get("name") or "").strip()
    return TaxIdAnswer(
        status=TaxIdStatus.VERIFIED if told["valid"] else TaxIdStatus.INVALID,
        reference=str(told.get("requestIdentifier") or ""),
        name="" if name in _HIDDEN else name,
    )
