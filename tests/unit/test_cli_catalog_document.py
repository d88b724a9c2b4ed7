from pathlib import Path

import pytest

from tallygate.cli import catalog_reader, demo
from tallygate.cli.catalog_reader import parse_document, read_document
from tallygate.cli.catalog_writer import write_catalog
from tallygate.cli.failures import CommandError
from tallygate.server.wire.catalog import decode_catalog, encode_catalog
from tallygate.server.wire.price import decode_price, encode_price
from tallygate.settings import documents
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
    catalog.plans["names"].name = "\u30d7\u30ed\u3000\u30d7\u30e9\u30f3 10\u00a0GB \U0001f468\u200d\U0001f469"
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
        (
            "plans: {p: {prices: [{setup: {amount: true}}]}}",
            'setup.amount: expected an amount in quotes, as "49.00"',
        ),
        (
            "plans: {p: {prices: [{setup: {amount: null}}]}}",
            'setup.amount: expected an amount in quotes, as "49.00"',
        ),
        ("plans: {p: {name: null}}", "plans.p.name: expected a text, got null"),
        (
            "plans: {p: {prices: [{recurring: {}, usage: {}}]}}",
            "only one of recurring, usage, setup, commitment can stand here",
        ),
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


def test_what_libyaml_reads_python_alone_reads_too(monkeypatch):
    text = (ROOT / "examples/catalog.yaml").read_text()
    plain = parse_document(text, file="c.yaml")
    monkeypatch.setattr(documents, "LARGE", 0)
    assert parse_document(text, file="c.yaml") == plain
    for wrong in ("plans: {pro: {name: no}}", "plans: {p: *a}", "plans: {p: {version: 1}\n", "plans: [p]"):
        assert problems(wrong)


def test_a_long_document_tells_how_far_it_has_come():
    text = HEAD + "features:\n" + "".join(f"  f{number}: {{kind: metered}}\n" for number in range(200))
    steps = []
    documents.compose(text, steps.append)
    assert all(step >= 0 for step in steps)
    assert len(steps) > 200
    assert 0.9 < sum(steps) / len(text) <= 1


def test_a_document_that_is_too_long_is_refused_before_it_is_read(tmp_path):
    (tmp_path / "c.yaml").write_text(HEAD + "# " + "x" * catalog_reader.MAX_BYTES)
    with pytest.raises(CommandError, match=r"c.yaml: 8.0 MiB, and a catalogue has at most 8 MiB") as refused:
        read_document(tmp_path / "c.yaml")
    assert refused.value.exit_code == 2


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


PRICES = """\
features:
  calls: {kind: metered, dimensions: [region, amount]}
  seats: {kind: seat}
plans:
  pro:
    version: 1
    prices:
      - {recurring: {amount: "49.00", every: month, due: arrears}}
      - {key: users, recurring: {amount: "15.00", quantity: {seats: seats}, label: Monthly user fees}}
      - {key: people, recurring: {quantity: users, model: volume, tiers: [{up_to: "5", unit_amount: "2"}, {unit_amount: "1"}]}}
      - {currency: JPY, setup: {amount: "10"}}
      - {commitment: {amount: "200.00", every: month}}
      - {usage: {feature_key: calls, unit_amount: "0.50", per_units: 1000}}
      - {usage: {feature_key: calls, unit_amount: "0.01", free_quota: "10", max_limit: "9", limit_unit: spend}}
      - {usage: {feature_key: calls, unit_amount: "5.00", package: "100", limit_action: notify, max_limit: "7"}}
      - usage: {feature_key: calls, model: graduated, where: {region: eu}, min_spend: "5.00", max_spend: "500.00", tiers: [{up_to: "1000", flat_amount: "2.00", flat_at_zero: false}, {unit_amount: "0.001"}]}
      - usage: {feature_key: calls, model: percentage, of: {dimension: amount}, rate: "1", fixed_amount: "0.30", free_events: 2, max_amount: "9.00"}
      - {usage: {feature_key: calls, model: graduated_percentage, of: quantity, tiers: [{up_to: "1000", rate: "2"}, {rate: "1"}]}}
      - {usage: {feature_key: calls, model: dynamic, of: {dimension: amount}, multiplier: "1.2"}}
"""  # noqa: E501 - a document as people write it


def test_every_form_of_a_price_reads_back_as_it_was_written():
    catalog = read(PRICES)
    assert parse_document(write_catalog(catalog), file="again.yaml").catalog == catalog
    assert "of: quantity" in write_catalog(catalog)
    assert "quantity: users" in write_catalog(catalog)


def test_every_form_of_a_price_passes_through_the_domain_as_it_was():
    for price in read(PRICES).plans["pro"].prices:
        kept = encode_price(decode_price(price, "price"))
        again = encode_price(decode_price(kept, "price"))
        assert again == kept
        form = price.WhichOneof("charge")
        assert {field.name for field, _ in getattr(price, form).ListFields()} <= {
            field.name for field, _ in getattr(kept, form).ListFields()
        }


BILLING = """\
billing:
  rounding: {amounts: half_even, tax: half_up, tax_per: group}
  proration: day
  grace: 1h
  late_periods: 2
  payment: {due: {day_of_month: 2}, collect: manual, min_charge: "1.00", dispute_fee: "20.00"}
  invoices: {number: "INV-{year}-{number:06}"}
  notices: {trial_days: [3, 1], expiry_days: [], card_days: [30], created: paid, mail: false}
  dunning: {retry_after_days: [1, 1], from_amount: "5.00", features: {calls: 10},
    steps: [{after_days: 0, state: past_due}, {when: exhausted, state: canceled}]}
plans:
  pro:
    version: 2
    billing: {every: month, count: 1, anchor: calendar, day: 25, renewal: repeat, renewal_approval: true}
    advance_discounts: [{type: percentage, value: "20", length: 12, rounding: 99}]
"""


def test_no_retries_are_an_empty_list():
    catalog = read("billing: {dunning: {retry_after_days: []}}")
    assert catalog.billing.dunning.no_retries
    assert "retry_after_days: []" in write_catalog(catalog)
    assert decode_catalog(catalog).billing.dunning.retry_after_days == ()
    assert read("billing: {dunning: {retry_after_days: [1]}}").billing.dunning.no_retries is False


def test_billing_reads_back_as_it_was_written():
    catalog = read(BILLING)
    assert parse_document(write_catalog(catalog), file="again.yaml").catalog == catalog
    domain = decode_catalog(catalog)
    assert encode_catalog(domain, include_archived=True).billing == catalog.billing
    assert encode_catalog(domain, include_archived=True).plans["pro"].billing == catalog.plans["pro"].billing


def test_a_word_that_names_no_choice_is_a_mistake():
    text = "plans: {p: {prices: [{usage: {of: quantities}}]}}"
    assert "prices[0].usage.of: expected a mapping with quantity, dimension, got quantities" in problems(text)[0]
    text = "plans: {p: {prices: [{usage: {where: {region: 1}}}]}}"
    assert 'where.region: expected a text in quotes, "1"' in problems(text)[0]
