"""Errors: the docstring is the message, the facts follow, and every reason belongs to one class."""

import importlib
import pkgutil

import pytest

from tallygate import domain
from tallygate.domain.errors import InvalidFieldError, PlanNotFoundError, TallygateError


def classes():
    """All that are of the domain, wherever in it."""
    names = [one.name for one in pkgutil.iter_modules(domain.__path__) if one.name.endswith("errors")]
    parts = [vars(importlib.import_module(f"tallygate.domain.{name}")) for name in names]
    found = {id(value): value for part in parts for value in part.values() if isinstance(value, type)}
    known = [cls for cls in found.values() if issubclass(cls, TallygateError) and cls is not TallygateError]
    return sorted(known, key=lambda cls: (cls.__module__, cls.__name__))


def test_the_message_is_the_docstring_and_the_facts():
    error = PlanNotFoundError(plan_key="pro", version=3)

    assert str(error) == "No plan has this key and version. (plan_key=pro, version=3)"
    assert error.metadata == {"plan_key": "pro", "version": "3"}


def test_a_field_error_names_what_it_expected_and_bounds_what_it_got():
    error = InvalidFieldError(field="quantity", expected="at least 1", got="x" * 1_000)

    assert error.metadata["field"] == "quantity"
    assert len(error.metadata["got"]) == 200


@pytest.mark.parametrize("cls", classes(), ids=lambda cls: cls.__name__)
def test_every_error_explains_itself(cls):
    assert cls.__doc__
    assert cls.__doc__.endswith(".")


def test_leaf_errors_have_reasons_of_their_own():
    leaves = [cls for cls in classes() if not cls.__subclasses__()]

    assert len({cls.reason for cls in leaves}) == len(leaves)
