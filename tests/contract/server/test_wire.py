import importlib
import pkgutil
import re
from pathlib import Path

import grpc
import pytest
from google.protobuf.descriptor import ServiceDescriptor

import tallygate.domain
import tallygate_api.v1
from tallygate.domain import account, catalog, credential, errors, event, limits
from tallygate.domain.gating import decision, quota
from tallygate.domain.period import Anchor, PeriodUnit
from tallygate.server.calls.scopes import METHOD_RULES
from tallygate.server.wire.errors import (
    DeadlineExceededError,
    InternalError,
    MalformedRequestError,
    UnimplementedError,
    failure_of,
    status_code,
)
from tallygate_api.envoy.service.ratelimit.v3 import rls_pb2

PROTO = Path(__file__).parents[3] / "protos" / "tallygate" / "v1" / "error_reason.proto"
for _module in pkgutil.iter_modules(tallygate.domain.__path__):  # each error is known where its module is loaded
    importlib.import_module(f"tallygate.domain.{_module.name}")
MODULES = [
    importlib.import_module(f"tallygate_api.v1.{module.name}")
    for module in pkgutil.iter_modules(tallygate_api.v1.__path__)
    if module.name.endswith("_pb2")
]
SERVICES: list[ServiceDescriptor] = [
    service for module in [*MODULES, rls_pb2] for service in module.DESCRIPTOR.services_by_name.values()
]
ENUMS = {name: enum for module in MODULES for name, enum in module.DESCRIPTOR.enum_types_by_name.items()}
PAIRS = {
    "ErrorReason": errors.ErrorReason,
    "Reason": decision.Reason,
    "DecidedOn": decision.DecidedOn,
    "PotKind": decision.PotKind,
    "SourceKind": decision.SourceKind,
    "UnblockKind": decision.UnblockKind,
    "ConsumeMode": quota.Mode,
    "FactKind": event.FactKind,
    "Scope": credential.Scope,
    "SubscriptionState": account.SubscriptionState,
    "FeatureKind": catalog.FeatureKind,
    "ValueType": catalog.ValueType,
    "Aggregation": catalog.Aggregation,
    "Overage": catalog.Overage,
    "OnUnavailable": catalog.OnUnavailable,
    "Algorithm": limits.Algorithm,
    "LimitOwner": limits.LimitOwner,
    "PeriodUnit": PeriodUnit,
    "Anchor": Anchor,
}


def screaming(name):
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).upper()


@pytest.mark.parametrize("name", PAIRS)
def test_the_wire_and_the_domain_name_the_same_members(name):
    prefix = screaming(name) + "_"
    on_the_wire = {value.name.removeprefix(prefix) for value in ENUMS[name].values}
    assert on_the_wire - {"UNSPECIFIED"} == {member.name for member in PAIRS[name]}


def test_every_method_has_a_scope_and_every_scope_a_method():
    methods = {f"{service.full_name}/{method.name}" for service in SERVICES for method in service.methods}
    assert methods == set(METHOD_RULES)
    streaming = {f"{s.full_name}/{method.name}" for s in SERVICES for method in s.methods if method.server_streaming}
    assert streaming == {name for name, rule in METHOD_RULES.items() if rule.streams}


def test_no_method_takes_a_stream_of_requests():
    assert not [method.full_name for s in SERVICES for method in s.methods if method.client_streaming]


def subclasses(family):
    for child in family.__subclasses__():
        yield child
        yield from subclasses(child)


def raised_for(reason):
    own = [DeadlineExceededError, InternalError, MalformedRequestError, UnimplementedError]
    found = [e for e in [*own, *subclasses(errors.TallygateError)] if e.reason is reason and e not in FAMILIES]
    assert bool(found) is (reason not in RESERVED), f"nothing raises {reason}, or it is reserved no longer"
    return found


RESERVED = {errors.ErrorReason.USER_NOT_FOUND}
FAMILIES = {errors.NotFoundError, errors.TallygateError, errors.InvalidError}
CODES = {
    reason: code
    for code, reason in re.findall(r"// ([A-Z_]+): [^\n]+\n(?:  //[^\n]*\n)*  ERROR_REASON_(\w+) =", PROTO.read_text())
}


@pytest.mark.parametrize("reason", errors.ErrorReason)
def test_every_reason_has_the_code_that_its_documentation_says(reason):
    for error_class in raised_for(reason):
        error = error_class.__new__(error_class)
        errors.TallygateError.__init__(error, field="f", expected="e")
        if error.reason is errors.ErrorReason.INTERNAL or status_code(error) is not grpc.StatusCode.INTERNAL:
            assert status_code(error).name == CODES[reason.name], error_class


def test_metadata_travels_in_trailers_that_any_transport_can_carry():
    failure = failure_of(errors.OverloadedError(in_flight=3))
    assert isinstance(failure.code, grpc.StatusCode)
    assert isinstance(failure.message, str)
    for key, value in failure.trailing:
        assert key == key.lower()
        assert isinstance(value, bytes if key.endswith("-bin") else str)


def test_a_long_message_is_cut():
    assert len(failure_of(errors.AccountNotFoundError(account_id="é" * 5000)).message) <= 500
