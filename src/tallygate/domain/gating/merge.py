"""How several sources of one feature become one entitlement; an override is no source, it replaces them."""

from tallygate.domain.catalog import Entitlement, Feature, FeatureKind, Overage, ValueType
from tallygate.domain.errors import MAX_QUANTITY


def merge(feature: Feature, parts: list[tuple[Entitlement, int]]) -> Entitlement:
    """Merge several sources' entitlements, each held in a quantity, to one feature.

    Allowances add up (and the rooms of overage above them), booleans OR, numbers and enums take the most generous,
    lists unite, the last text wins.
    """
    entitlements = [part for part, _ in parts]
    match feature.kind:
        case FeatureKind.BOOLEAN:
            return Entitlement(enabled=any(part.enabled for part in entitlements))
        case FeatureKind.STATIC:
            return _merge_static(feature, entitlements)
        case FeatureKind.METERED | FeatureKind.SEAT:
            return _merge_allowances(parts)


def _merge_allowances(parts: list[tuple[Entitlement, int]]) -> Entitlement:
    """Limits add up, and so do the rooms above them; one source of overage without an end makes it unbounded."""
    if any(part.unlimited for part, _ in parts):
        overage = Overage.ALLOW if any(part.overage is Overage.ALLOW for part, _ in parts) else Overage.DENY
        return Entitlement(unlimited=True, overage=overage)
    limit = sum((part.limit or 0) * quantity for part, quantity in parts)
    soft = [(part, quantity) for part, quantity in parts if part.overage is Overage.ALLOW]
    if not soft:
        return Entitlement(limit=min(limit, MAX_QUANTITY))
    rooms = [(part.hard_limit - (part.limit or 0)) * quantity for part, quantity in soft if part.hard_limit is not None]
    hard_limit = min(limit + sum(rooms), MAX_QUANTITY) if len(rooms) == len(soft) else None
    return Entitlement(limit=min(limit, MAX_QUANTITY), overage=Overage.ALLOW, hard_limit=hard_limit)


def _merge_static(feature: Feature, entitlements: list[Entitlement]) -> Entitlement:
    numbers = [part.number for part in entitlements if part.number is not None]
    texts = [part.text for part in entitlements if part.text is not None]
    united = tuple(dict.fromkeys(value for part in entitlements for value in part.values))
    text = texts[-1] if texts else None
    if feature.value_type is ValueType.ENUM and texts:
        text = max(texts, key=lambda value: feature.values.index(value) if value in feature.values else -1)
    unlimited = any(part.unlimited for part in entitlements)
    return Entitlement(number=max(numbers) if numbers else None, text=text, values=united, unlimited=unlimited)
