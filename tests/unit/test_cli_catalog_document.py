from pathlib import Path

import pytest

from tallygate.cli import demo
from tallygate.cli.catalog_reader import parse_document
from tallygate.cli.catalog_writer import write_catalog
from tallygate.cli.failures import CommandError
from tallygate_api.v1 import catalog_pb2 as wire

ROOT = Path(__file__).parents[2]
HEAD = "schema: tallygate.catalog.v1\n"


def problems(text, *, head=HEAD):
    with pytest.raises(CommandError) as caught:
        parse_document(head + text, file="c.yaml")
    assert caught.value.exit_code == 2
    return str(caught.value).splitlines()


def read(text):
    return parse_document(HEAD + text, file="c.yaml").catalog


def test_the_demo_catalogue_becomes_the_message():
    catalog = parse_document((ROOT / "examples/catalog.yaml").read_text(), file="c.yaml").catalog
    assert sorted(catalog.features) == ["api_calls", "retention_days", "seats", "sso", "storage_bytes"]
    assert catalog.features["api_calls"].usage_period == wire.UsagePeriod(
        every=wire.PERIOD_UNIT_MONTH, anchor=wire.ANCHOR_CALENDAR
    )
    assert catalog.features["storage_bytes"].HasField("billable")
    assert catalog.rate_limits["login_attempts"].value.window.seconds == 60
    assert not catalog.rate_limits["login_attempts"].descriptor[1].HasField("value")
    pro = catalog.plans["pro"]
    assert pro.entitlements["api_calls"] == wire.Entitlement(limit=100_000, overage=wire.OVERAGE_ALLOW)
    assert pro.prices[0].recurring.amount == "49.00"
    assert pro.trial == wire.Trial(days=14, ends_in="free")
    assert catalog.add_ons["sso-addon"].max_quantity == 1


@pytest.mark.parametrize("name", ["catalog.yaml", "accounts.jsonl"])
def test_the_wheel_carries_the_examples_of_the_repository(name):
    assert (ROOT / "examples" / name).read_text() == (Path(demo.__file__).parent / "demo_world" / name).read_text()


def test_an_export_reads_back_as_the_same_message():
    catalog = parse_document((ROOT / "examples/catalog.yaml").read_text(), file="c.yaml").catalog
    catalog.plans["no"].version = 3  # YAML 1.1 would read the key as false
    catalog.plans["12:30"].name = "0x10 # not a comment"
    catalog.features["e\N{LATIN SMALL LETTER E WITH ACUTE}/\t"].archived = True
    catalog.plans["pro"].rate_limits["api_rps"].window.FromMilliseconds(90_500)
    catalog.add_ons["api-pack"].entitlements["empty"].SetInParent()
    text = write_catalog(catalog)
    assert parse_document(text, file="export").catalog == catalog
    assert 'amount: "49.00"' in text or "amount: '49.00'" in text
    assert write_catalog(parse_document(text, file="export").catalog) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plans: {pro: {vershun: 1}}", "c.yaml:2: plans.pro.vershun: unknown key; did you mean version?"),
        ("fetures: {}", "c.yaml:2: fetures: unknown key; did you mean features?"),
        (
            "features: {a: {kind: meterd}}",
            "features.a.kind: expected one of boolean, static, metered, seat, got meterd",
        ),
        (
            "plans: {pro: {version: '1'}}",
            "plans.pro.version: expected an integer of at most 2147483647, got the text '1'",
        ),
        ("plans: {pro: {version: 1.0}}", "got 1.0"),
        ("plans: {pro: {version: 010}}", "expected an integer of at most 2147483647, got 010"),
        ("plans: {pro: {version: 1_0}}", "got 1_0"),
        ("plans: {pro: {version: }}", "got nothing"),
        ("plans: {pro: {version: 2147483648}}", "got 2147483648"),
        (
            "plans: {p: {entitlements: {f: {limit: 9007199254740992}}}}",
            "expected an integer of at most 9007199254740991",
        ),
        ("plans: {pro: {name: no}}", 'plans.pro.name: expected a text in quotes, "no", got no'),
        ("plans: {pro: {name: 12:30}}", 'expected a text in quotes, "12:30", got 12:30'),
        ("plans: {pro: {name: [a]}}", "expected a text, got a list"),
        ("features: {a: {billable: no}}", "features.a.billable: expected true or false, got no"),
        ("features: {a: {billable: 'true'}}", "got the text 'true'"),
        ("plans: {p: {rate_limits: {r: {window: 60}}}}", "expected a duration in whole milliseconds, as 500ms"),
        ("plans: {p: {rate_limits: {r: {window: 0.0001s}}}}", "got 0.0001s"),
        (
            "plans: {p: {prices: [{recurring: {amount: 49.00}}]}}",
            'prices[0].recurring.amount: expected a text in quotes, "49.00"',
        ),
        ("plans: {p: {prices: [{recurring: {}, usage: {}}]}}", "only one of recurring, usage can stand here"),
        ("plans: {p: {upgrades_to: pro}}", "plans.p.upgrades_to: expected a list, got pro"),
        ("plans: [p]", "plans: expected a mapping by key, got a list"),
        ("plans: {no: {version: 1}}", "plans: expected a text as key, got no; put it in quotes"),
        ("plans: {p: {version: 1}, p: {version: 2}}", "plans: the key 'p' comes twice, first in line 2"),
        ("plans: {p: &a {version: 1}}", "anchors and aliases are refused"),
        ("plans: {p: *a}", "anchors and aliases are refused"),
        ("plans: {p: !!map {version: 1}}", "tags are refused"),
        ("plans: {p: {<<: {version: 1}}}", "expected a text as key, got <<"),
        ("plans: {p: {version: 1}\n", "c.yaml:"),
        ("---\nplans: {}", "c.yaml:2:"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(text, expected):
    assert expected in problems(text)[0]


def test_every_problem_is_named_in_the_order_of_the_lines():
    lines = problems("plans:\n  pro: {version: x}\nfeatures:\n  a: {kind: boolean, unti: day}\n")
    assert [line.split(": ")[0] for line in lines] == ["c.yaml:3", "c.yaml:5"]


def test_the_schema_must_be_ours_and_there():
    assert problems("", head="currency: USD\n")[0] == "c.yaml:1: schema: expected tallygate.catalog.v1, got nothing"
    assert "expected tallygate.catalog.v1, got v2" in problems("", head="schema: v2\n")[0]
    assert "the document is empty" in problems("", head="")[0]
    assert "expected a mapping" in problems("", head="- a\n")[0]


def test_depth_is_no_traceback():
    assert problems("plans: " + "[" * 5_000, head="")[0].startswith("c.yaml:1")


def test_a_server_path_leads_to_the_nearest_line():
    document = parse_document(HEAD + "plans:\n  pro:\n    version: 1\n    upgrades_to:\n      - x\n", file="c.yaml")
    assert document.place("plans.pro.entitlements.a") == "c.yaml:3"
    assert document.place("plans.pro.upgrades_to[0]") == "c.yaml:6"
    assert document.place("currency") == "c.yaml:1"


def test_durations_and_false_and_zero_keep_their_presence():
    catalog = read(
        "features: {a: {kind: boolean, billable: false}}\n"
        "rate_limits: {r: {value: {limit: 0, window: 24h}}, s: {value: {window: 1.5s}}, m: {value: {window: 1m}}}\n"
    )
    assert catalog.features["a"].HasField("billable")
    assert catalog.rate_limits["r"].value.HasField("limit")
    assert catalog.rate_limits["r"].value.window.seconds == 86_400
    assert catalog.rate_limits["s"].value.window.nanos == 500_000_000
    assert catalog.rate_limits["m"].value.window.seconds == 60
