"""Which add-ons can be held, and in what quantity."""

from collections.abc import Sequence
from dataclasses import dataclass

from tallygate.domain.account import AddOnHolding
from tallygate.domain.catalog import AddOn, Catalog
from tallygate.domain.catalog_errors import AddOnNotFoundError
from tallygate.domain.errors import InvalidFieldError
from tallygate.records.fields import check_quantity


@dataclass(frozen=True, slots=True, kw_only=True)
class AddOnChoice:
    """An add-on to hold, in its newest version by default."""

    add_on_key: str
    quantity: int = 1
    version: int | None = None


def check_add_on(catalog: Catalog, plan_key: str, choice: AddOnChoice, *, path: str = "") -> AddOn:
    """The add-on, if it can be held on this plan in this quantity; `path` is where the choice stands in the request.

    Raises:
        AddOnNotFoundError: there is none, or it was archived.
        InvalidFieldError: it is not offered on the plan, or not in this quantity.
    """
    add_on = known_add_on(catalog, choice.add_on_key, choice.version)
    if add_on.archived:
        raise AddOnNotFoundError(add_on_key=choice.add_on_key)
    if plan_key not in add_on.offered_on:
        offered = ", ".join(add_on.offered_on) or "none"
        expected = f"an add-on offered on plan {plan_key} (this one is on {offered})"
        raise InvalidFieldError(field=f"{path}add_on_key", expected=expected, got=choice.add_on_key)
    check_quantity(f"{path}quantity", choice.quantity, least=1)
    if add_on.max_quantity is not None and choice.quantity > add_on.max_quantity:
        expected = f"at most {add_on.max_quantity}"
        raise InvalidFieldError(field=f"{path}quantity", expected=expected, got=choice.quantity)
    return add_on


def known_add_on(catalog: Catalog, add_on_key: str, version: int | None = None) -> AddOn:
    """An add-on's given version, or its newest, archived or not.

    Raises:
        AddOnNotFoundError: there is none.
    """
    add_on = catalog.add_on(add_on_key, version)
    if add_on is None:
        raise AddOnNotFoundError(add_on_key=add_on_key, **({} if version is None else {"version": version}))
    return add_on


def holdings(catalog: Catalog, choices: Sequence[AddOnChoice], *, start: int) -> tuple[AddOnHolding, ...]:
    """What is held from `start` on by choices that were checked.

    Raises:
        InvalidFieldError: an add-on is chosen twice.
    """
    held: dict[str, AddOnHolding] = {}
    for index, choice in enumerate(choices):
        if choice.add_on_key in held:
            raise InvalidFieldError(
                field=f"add_ons[{index}].add_on_key", expected="each add-on once", got=choice.add_on_key
            )
        version = known_add_on(catalog, choice.add_on_key, choice.version).version
        held[choice.add_on_key] = AddOnHolding(
            add_on_key=choice.add_on_key, version=version, quantity=choice.quantity, start_time=start
        )
    return tuple(held.values())
