"""Errors: the docstring is the message, the facts follow, and every reason belongs to one class."""

import pytest

from tallygate.domain import errors
from tallygate.domain.errors import InvalidFieldError, PlanNotFoundError, TallygateError


def classes():
    found = [value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, TallygateError)]
    return [cls for cls in found if cls is not TallygateError]


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
