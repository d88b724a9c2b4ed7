import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from google.protobuf.wrappers_pb2 import BytesValue, UInt64Value
from hypothesis import given
from hypothesis import strategies as st

from tallygate.domain.catalog import FeatureKind, Overage
from tallygate.domain.errors import MAX_QUANTITY, InvalidFieldError
from tallygate.domain.fields import checked_page
from tallygate.domain.gating.decision import Decision, Reason
from tallygate.domain.gating.quota import Mode
from tallygate.domain.limits import OnUnavailable
from tallygate.domain.period import PeriodUnit
from tallygate.server.wire.catalog import decode_catalog, encode_catalog
from tallygate.server.wire.decision import (
    decode_batch_check,
    decode_check,
    decode_consume,
    decode_rate_limit,
    encode_decision,
)
from tallygate.server.wire.price import count_of
from tallygate.server.wire.scalars import duration, entries, field_tag, identifier, timestamp, varint
from tallygate_api.v1 import catalog_pb2
from tallygate_api.v1 import entitlement_service_pb2 as wire


@pytest.mark.parametrize(
    "value", ["a", "a" * 255, "ada@acme.example", "tenants/acme/eu", "1b4e28ba-2fa1-11d2-883f", "Zoë Müller", "日本"]
)
def test_ids_are_the_callers_own(value):
    assert identifier(value, "account_id") == value


@pytest.mark.parametrize("value", ["", "a" * 256, "a\nb", "\x00", "\u200b", "a\u2028"])
def test_what_is_no_id_is_refused(value):
    with pytest.raises(InvalidFieldError) as caught:
        identifier(value, "account_id")
    assert caught.value.metadata["field"] == "account_id"
    assert caught.value.metadata["got"].isprintable()


def check(**fields):
    return decode_check(wire.CheckEntitlementRequest(**{"account_id": "a", "feature_key": "f", **fields}))


def test_an_absent_quantity_is_not_zero():
    assert check().quantity is None
    assert check(quantity=0).quantity == 0
    assert check(quantity=MAX_QUANTITY).quantity == MAX_QUANTITY


@pytest.mark.parametrize("quantity", [-1, MAX_QUANTITY + 1, 2**63 - 1])
def test_a_quantity_beyond_what_can_be_counted_is_refused(quantity):
    with pytest.raises(InvalidFieldError, match="quantity"):
        check(quantity=quantity)


@given(st.integers(min_value=0, max_value=MAX_QUANTITY))
def test_instants_and_durations_are_exact(micros):
    stamp, span = timestamp(micros), duration(micros)
    assert stamp.seconds * 1_000_000 + stamp.nanos // 1000 == micros
    assert span.seconds * 1_000_000 + span.nanos // 1000 == micros
    assert check(at_time=stamp).at_time == micros


def test_what_is_finer_than_a_microsecond_is_cut_off():
    assert check(at_time=Timestamp(seconds=1, nanos=1999)).at_time == 1_000_001


@pytest.mark.parametrize(
    "stamp",
    [
        Timestamp(seconds=-1),
        Timestamp(seconds=1, nanos=-1),
        Timestamp(seconds=1, nanos=10**9),
        Timestamp(seconds=253402300799),
    ],
    ids=str,
)
def test_an_instant_that_cannot_be_counted_with_is_refused(stamp):
    with pytest.raises(InvalidFieldError, match="at_time"):
        check(at_time=stamp)


def test_a_consume_needs_a_request_id_and_takes_refunds():
    request = wire.ConsumeQuotaRequest(account_id="a", feature_key="f", quantity=-5, dimensions={"region": "eu"})
    with pytest.raises(InvalidFieldError, match="request_id"):
        decode_consume(request)
    request.request_id = "r"
    decoded = decode_consume(request)
    assert (decoded.quantity, decoded.mode, decoded.dimensions) == (-5, Mode.ALL_OR_NOTHING, {"region": "eu"})
    request.mode = 99
    with pytest.raises(InvalidFieldError, match="CONSUME_MODE_ADJUST"):
        decode_consume(request)


def test_a_batch_is_every_pair_in_order_and_bounded():
    request = wire.BatchCheckEntitlementsRequest(account_ids=["b", "a"], feature_keys=["y", "x"])
    pairs = [(each.account_id, each.feature_key) for each in decode_batch_check(request)]
    assert pairs == [("b", "y"), ("b", "x"), ("a", "y"), ("a", "x")]
    many = wire.BatchCheckEntitlementsRequest(account_ids=map(str, range(11)), feature_keys=map(str, range(91)))
    with pytest.raises(InvalidFieldError, match="1000"):
        decode_batch_check(many)
    with pytest.raises(InvalidFieldError, match="account_ids"):
        decode_batch_check(wire.BatchCheckEntitlementsRequest(feature_keys=["x"]))


def test_a_descriptor_is_taken_as_it_came():
    pairs = [("b", ""), ("a", "x" * 5_000), ("a", "\0"), ("", "z")]
    descriptors = [wire.DescriptorEntry(key=key, value=value) for key, value in pairs]
    assert decode_rate_limit(wire.RateLimitRequest(descriptors=descriptors)).descriptor == tuple(pairs)


def test_maps_are_bounded():
    with pytest.raises(InvalidFieldError):
        entries({str(n): "" for n in range(65)}, "dimensions")
    with pytest.raises(InvalidFieldError):
        entries({"a": "x" * 1025}, "dimensions")
    with pytest.raises(InvalidFieldError, match="NUL"):
        entries({"a": "x\0y"}, "dimensions")


def test_pages_have_a_default_and_a_most():
    assert [checked_page(0), checked_page(1), checked_page(1000)] == [100, 1, 1000]
    for size in (-1, 1001):
        with pytest.raises(InvalidFieldError, match="page_size"):
            checked_page(size)


@pytest.mark.parametrize(
    ("value", "field"),
    [(True, "bool_value"), (False, "bool_value"), (0, "number_value"), ("", "text_value"), (("a",), "list_value")],
)
def test_a_value_keeps_its_type_and_absence_is_not_zero(value, field):
    encoded = encode_decision(Decision(feature_key="f", allowed=True, reason=Reason.ENTITLED, value=value))
    assert encoded.value.WhichOneof("value") == field
    assert not encoded.HasField("limit")
    assert not encoded.HasField("remaining")
    assert not encoded.HasField("retry_after")
    zero = encode_decision(
        Decision(feature_key="f", allowed=False, reason=Reason.QUOTA_EXHAUSTED, limit=0, remaining=0)
    )
    assert zero.HasField("limit")
    assert zero.HasField("remaining")
    assert not zero.HasField("value")


def test_a_catalogues_defaults_are_those_of_the_contract():
    document = catalog_pb2.Catalog(
        features={"f": catalog_pb2.Feature(kind=catalog_pb2.FEATURE_KIND_METERED)},
        rate_limits={
            "l": catalog_pb2.RateLimitRule(
                owner=catalog_pb2.LIMIT_OWNER_ACCOUNT, algorithm=catalog_pb2.ALGORITHM_FIXED_WINDOW
            )
        },
        plans={"p": catalog_pb2.Plan(version=3, entitlements={"f": catalog_pb2.Entitlement(limit=1)})},
    )
    catalog = decode_catalog(document)
    feature = catalog.features["f"]
    assert (feature.kind, feature.billable, feature.on_unavailable) == (
        FeatureKind.METERED,
        True,
        OnUnavailable.CLOSED,
    )
    assert feature.usage_period.count == 1
    assert catalog.rate_limits["l"].on_unavailable is OnUnavailable.OPEN
    assert catalog.plans["p"][3].entitlements["f"].overage is Overage.DENY
    assert decode_catalog(encode_catalog(catalog, include_archived=True)) == catalog


@pytest.mark.parametrize(
    ("document", "path"),
    [
        (catalog_pb2.Catalog(schema="v9"), "schema"),
        (catalog_pb2.Catalog(time_zone="Mars/Base"), "time_zone"),
        (catalog_pb2.Catalog(features={"f": catalog_pb2.Feature()}), "features.f.kind"),
        (catalog_pb2.Catalog(plans={"p": catalog_pb2.Plan()}), "plans.p.version"),
        (
            catalog_pb2.Catalog(
                plans={"p": catalog_pb2.Plan(version=1, rate_limits={"l": catalog_pb2.RateLimitValue(limit=1)})}
            ),
            "plans.p.rate_limits.l.window",
        ),
        (
            catalog_pb2.Catalog(
                add_ons={
                    "a": catalog_pb2.AddOn(
                        version=1, prices=[catalog_pb2.Price(recurring=catalog_pb2.RecurringPrice(amount="1e3"))]
                    )
                }
            ),
            "add_ons.a.prices[0].recurring.amount",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "document",
)
def test_a_wrong_element_of_a_catalogue_is_named_by_its_path(document, path):
    with pytest.raises(InvalidFieldError) as caught:
        decode_catalog(document)
    assert caught.value.metadata["field"] == path


@given(st.integers(0, 2**35) | st.sampled_from([1_023, 1_024, 127, 128]))
def test_a_length_is_written_as_protobuf_writes_it(number):
    assert BytesValue(value=b"x").SerializeToString() == field_tag(BytesValue, "value") + varint(1) + b"x"
    assert UInt64Value(value=number).SerializeToString()[1:] == (varint(number) if number else b"")


@pytest.mark.parametrize(
    "period",
    [
        catalog_pb2.RecurringPrice(count=0),
        catalog_pb2.CommitmentPrice(count=1201),
        catalog_pb2.BillingRule(count=-1),
        catalog_pb2.UsagePeriod(count=0),
    ],
    ids=lambda period: type(period).__name__,
)
def test_a_count_of_units_has_bounds_at_both_ends(period):
    with pytest.raises(InvalidFieldError, match=r"field=p\.count, expected=1 to 1200: a century at most"):
        count_of(period, PeriodUnit.MONTH, "p")
    period.ClearField("count")
    assert count_of(period, PeriodUnit.MONTH, "p") == 1
