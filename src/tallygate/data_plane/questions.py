"""What checks ask of a view, and what they are answered: gates, and the decisions on what those answered."""

from tallygate.data_plane.admission import Admitted, segments_of
from tallygate.data_plane.requests import CheckRequest
from tallygate.data_plane.view import View
from tallygate.domain.catalog import Feature, FeatureKind
from tallygate.domain.errors import MAX_QUANTITY, FeatureNotFoundError, InvalidFieldError, OutOfRangeError
from tallygate.domain.gating.decide import Stamp, decide, decide_metered, tried, unknown_account
from tallygate.domain.gating.decision import Decision
from tallygate.domain.gating.quota import LEVELS, QuotaAnswer, QuotaGate, Segment
from tallygate.domain.gating.remedies import Metered, Question
from tallygate.domain.gating.resolve import END
from tallygate.domain.gating.segments import segments
from tallygate.domain.gating.usage_periods import period_at
from tallygate.domain.instants import rfc3339


def feature_of(view: View, feature_key: str) -> Feature:
    """The tenant's feature of this key.

    Raises:
        FeatureNotFoundError: the catalogue has none.
    """
    feature = view.snapshot.catalog.features.get(feature_key)
    if feature is None:
        raise FeatureNotFoundError(feature_key=feature_key)
    return feature


def gate_of(view: View, request: CheckRequest, now: int) -> QuotaGate | None:
    """The gate that answers a question about a metered feature; None where the view alone answers, or refuses, it."""
    feature = view.snapshot.catalog.features.get(request.feature_key)
    if feature is None or view.entitlements is None or feature.kind is not FeatureKind.METERED or not is_valid(request):
        return None
    around = segments_until(view, feature, now, request.at_time)
    if not around:
        return None
    return QuotaGate(
        feature_key=feature.feature_key,
        quantity=quantity_to_try(request, feature),
        segments=around,
        grants=view.entitlements.grants.get(feature.feature_key, ()),
        aggregation=feature.aggregation,
        occurred_time=request.at_time,
    )


def segments_until(view: View, feature: Feature, now: int, at: int | None) -> tuple[Segment, ...]:
    """The segments around now, and as far as another instant that is meant; none where that lies too far back."""
    around = segments_of(view, feature, at=now)
    if at is None or view.entitlements is None:
        return around
    if at < around[0].start:
        return ()
    if at >= around[-1].end:
        return (
            *around,
            *(segment for segment in segments(view.entitlements, feature, at=at) if segment.start >= around[-1].end),
        )
    return around


def quantity_to_try(request: CheckRequest, feature: Feature) -> int | None:
    """The quantity to try: a look where nothing is asked for, another instant is meant, or more than a level stands."""
    if request.at_time is not None or request.quantity == 0:
        return None
    if request.quantity is None:
        return None if feature.aggregation in LEVELS else 1
    return request.quantity


def is_valid(request: CheckRequest) -> bool:
    """Whether it asks for an amount and an instant that can be counted with."""
    quantity = 0 if request.quantity is None else request.quantity
    return 0 <= quantity <= MAX_QUANTITY and (request.at_time is None or 0 <= request.at_time < END)


def by_feature(admitted: Admitted) -> dict[str, tuple[QuotaGate, QuotaAnswer]]:
    """Gates and what they answered, by the feature that they count."""
    if admitted.call is None or admitted.reply is None:
        return {}
    return {
        item.gate.feature_key: (item.gate, answer)
        for item, answer in zip(admitted.call.gates, admitted.reply.answers, strict=True)
        if isinstance(item.gate, QuotaGate) and isinstance(answer, QuotaAnswer)
    }


def decision_on(
    request: CheckRequest, view: View, now: int, found: tuple[QuotaGate, QuotaAnswer] | None, stamp: Stamp
) -> Decision:
    """The decision on one question; `found` is what was asked of the store, where it was.

    Raises:
        TallygateError: the question is one that nobody can decide.
    """
    feature = feature_of(view, request.feature_key)
    if request.quantity is not None and not 0 <= request.quantity <= MAX_QUANTITY:
        raise InvalidFieldError(field="quantity", expected=f"0 to {MAX_QUANTITY}", got=request.quantity)
    if view.entitlements is None:
        return unknown_account(feature)
    at = now if request.at_time is None else request.at_time
    if request.at_time is not None:
        _check_instant(at, earliest=period_at(view.entitlements, feature, now).start)
    question = Question(
        feature=feature,
        quantity=1 if request.quantity is None else request.quantity,
        beyond=request.quantity is None and feature.aggregation in LEVELS,
        user_id=request.user_id,
        requested_values=request.requested_values,
        at=at,
    )
    if found is None:
        return decide(view.snapshot.catalog, view.entitlements, question)
    gate, answer = found
    metered = Metered(answer=answer, segments=gate.segments, now=at)
    if request.at_time is not None or question.beyond:
        metered = tried(question, metered)
    return decide_metered(view.snapshot.catalog, view.entitlements, question, metered, stamp)


def _check_instant(at: int, *, earliest: int) -> None:
    if not earliest <= at < END:
        raise OutOfRangeError(
            field="at_time",
            expected=f"an instant of the current usage period, which starts at {rfc3339(earliest)}, or later",
            earliest=rfc3339(earliest),
            latest=rfc3339(END - 1),
            got=rfc3339(at),
        )


def is_told_whole(request: CheckRequest, feature: Feature) -> bool:
    """Whether what the store answers is the decision, with nothing to be tried on it first."""
    return request.at_time is None and not (request.quantity is None and feature.aggregation in LEVELS)
