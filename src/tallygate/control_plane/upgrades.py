"""Where upgrades lead: never back to where they began, or whoever follows them never arrives."""

from graphlib import CycleError, TopologicalSorter

from tallygate.domain.catalog import Catalog
from tallygate.domain.errors import InvalidFieldError


def check_upgrades(document: Catalog, stored: Catalog) -> None:
    """Refuse a plan whose upgrades lead back to it; plans that are published already are as they are.

    Raises:
        InvalidFieldError: they do; the field names the step, and `got` the circle.
    """
    newest = {key: versions[max(versions)] for key, versions in {**stored.plans, **document.plans}.items()}
    new = {key for key, plan in newest.items() if plan.version not in stored.plans.get(key, {})}
    try:
        TopologicalSorter({key: plan.upgrades_to for key, plan in newest.items()}).prepare()
    except CycleError as error:
        circle: list[str] = error.args[1][:0:-1]  # each is an upgrade of the one before it; the first closes it
        start = next((index for index, key in enumerate(circle) if key in new), None)
        if start is None:
            return
        path = [*circle[start:], *circle[:start], circle[start]]
        step = newest[path[0]].upgrades_to.index(path[1])
        raise InvalidFieldError(
            field=f"plans.{path[0]}.upgrades_to[{step}]",
            expected="a plan whose upgrades do not lead back to this one",
            got=" -> ".join(path),
        ) from None
