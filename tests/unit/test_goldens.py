"""What documents are as JSON, and what their explanations say, byte for byte: a change shows as a difference here.

`python tests/unit/test_goldens.py` writes them anew; what it changed is for a reviewer to read.
"""

import asyncio
import json
from pathlib import Path

import pytest
from google.protobuf.json_format import MessageToDict

from invoice_engine import BillingEngineDriver
from tallygate.billing.explaining import Explained
from tallygate.cli.amounts import money
from tallygate.cli.explanations import explanation
from tallygate.domain.billing.cover import Policy
from tallygate.domain.billing.documents import InvoiceKind, number_of
from tallygate.domain.billing.references import price_of
from tallygate.domain.billing.steps import total
from tallygate.domain.currency import minor_units
from tallygate.server.wire.catalog import decode_catalog
from tallygate.server.wire.explanation import encode_explanation
from tallygate.server.wire.invoice import encode_invoice
from worlds import load_world, run_world

GOLDENS = Path(__file__).parent.parent / "goldens"


def documents():
    """Every document of the world, with a number, and with its prices."""
    world, driver = load_world(GOLDENS / "world.yaml"), BillingEngineDriver()

    async def lived():
        await run_world(world, driver)
        await driver.run()

    asyncio.run(lived())
    found, prices = [], decode_catalog(world.catalog)
    for number, made in enumerate(driver.issued(), start=1):
        more = {"number": number_of("INV-{year}-{number:06}", made.kind, year=2031, number=number)}
        more |= {"policy": Policy(), "zone": "UTC"}
        found.append(type(made)(**{**{name: getattr(made, name) for name in made.__dataclass_fields__}, **more}))
    return found, prices


def as_json(invoice):
    """The document as GetInvoice answers it."""
    message = MessageToDict(encode_invoice(invoice), preserving_proto_field_name=True)
    return json.dumps(message, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def explained(invoice, prices):
    """Every line of it, as `tallygate invoice explain` prints it."""
    for number, line in enumerate(invoice.lines, start=1):
        price = price_of(prices, line.price)
        answer = encode_explanation(Explained(invoice=invoice, number=number, line=line, price=price))
        yield explanation(answer, amount=money(answer.line.amount)) + "\n"


def goldens():
    """What is to be, by the name of its file."""
    made, prices = documents()
    for number, invoice in enumerate(made, start=1):
        yield f"{number}-{invoice.kind.value}.json", as_json(invoice)
        yield f"{number}-{invoice.kind.value}.txt", "\n".join(explained(invoice, prices))


@pytest.fixture(scope="module")
def made():
    return dict(goldens())


def test_there_is_one_of_each_kind(made):
    kinds = {name.partition("-")[2].removesuffix(".json") for name in made if name.endswith(".json")}
    assert kinds == {kind.value for kind in InvoiceKind}
    assert {path.name for path in GOLDENS.iterdir()} == {*made, "world.yaml"}


def test_the_steps_of_each_line_sum_to_it():
    for invoice in documents()[0]:
        for line in invoice.lines:
            before = line.inputs.billed if line.inputs is not None else 0
            assert minor_units(total(line.steps).amount, line.currency) - before == line.exact, line


@pytest.mark.parametrize("path", sorted(GOLDENS.glob("[0-9]*")), ids=lambda path: path.name)
def test_a_document_is_what_it_was(made, path):
    assert made[path.name] == path.read_text()


if __name__ == "__main__":
    for name, text in goldens():
        (GOLDENS / name).write_text(text)
