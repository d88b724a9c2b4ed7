"""VIES' adapter against a register on this machine that speaks as VIES' REST service does."""

import time

import pytest

from registers import BROKEN, DOWN, SILENT, UNKNOWN, VALID, Register
from tallygate.billing.ports import TaxIdAnswer
from tallygate.domain.billing.tax_evidence import TaxIdStatus
from tallygate.gateways.vies import Vies

UNAVAILABLE = TaxIdAnswer(status=TaxIdStatus.UNAVAILABLE)


@pytest.fixture(scope="module")
def register():
    with Register() as found:
        yield found


def vies(register):
    return Vies(url=register.url, timeout=0.3)


async def test_an_id_that_is_held_is_verified_and_proved_to_who_asks(register):
    answer = await vies(register).ask(f"DE {VALID}", requester="ATU12345675")
    name = "Acme Aktiengesellschaft"
    assert answer == TaxIdAnswer(status=TaxIdStatus.VERIFIED, reference="WAPIAAAAZ1", name=name)
    own = {"requesterMemberStateCode": "AT", "requesterNumber": "U12345675"}
    assert register.asked[-1] == ("/rest-api/check-vat-number", {"countryCode": "DE", "vatNumber": VALID, **own})


async def test_an_id_that_nobody_holds_is_invalid(register):
    assert await vies(register).ask(f"DE{UNKNOWN}", requester="") == TaxIdAnswer(status=TaxIdStatus.INVALID)


async def test_greece_is_asked_for_by_its_own_prefix(register):
    for tax_id in "EL094259216", "gr094259216":
        await vies(register).ask(tax_id, requester="")
        assert register.asked[-1][1] == {"countryCode": "EL", "vatNumber": "094259216"}


@pytest.mark.parametrize("number", [DOWN, BROKEN, SILENT])
async def test_what_does_not_answer_says_nothing_of_an_id(register, number):
    began = time.monotonic()
    assert await vies(register).ask(f"DE{number}", requester="") == UNAVAILABLE
    assert time.monotonic() - began < 3


async def test_where_nothing_listens_nothing_is_learned():
    assert await Vies(url="http://127.0.0.1:9/rest-api", timeout=0.3).ask(f"DE{VALID}", requester="") == UNAVAILABLE


@pytest.mark.parametrize(
    ("tax_id", "held"),
    [
        ("DE136695976", True),
        ("DE 136 695 976", True),
        ("DE136695975", False),  # its check digit is wrong
        ("FR40303265045", True),
        ("EL094259216", True),
        ("CHE107787577", False),  # of no member state
    ],
)
def test_ids_have_a_form(tax_id, held):
    assert Vies(url="", timeout=1).has_form(tax_id) is held
    assert Vies(url="", timeout=1).name == ""
