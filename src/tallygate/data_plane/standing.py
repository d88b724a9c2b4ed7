"""On what a decision stands that a view alone made: how long it may be given again, and how old it then is."""

from dataclasses import dataclass

from tallygate.data_plane.admission import Admission
from tallygate.data_plane.requests import CheckRequest
from tallygate.data_plane.views import View
from tallygate.domain.catalog import FeatureKind
from tallygate.domain.gating.decision import DecidedOn, Decision


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """The stretch of a view on which a decision rests, as long as the view holds."""

    admission: Admission
    view: View
    start: int
    end: int

    def age(self, now: int) -> int | None:
        """How long before `now`, by this process's clock, the view was verified, in microseconds.

        None where the decision does not stand any more.
        """
        view = self.view
        if not self.start <= now + view.snapshot.clock_offset < self.end:
            return None
        return self.admission.views.age_in_use(view, now)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standings:
    """Tells what decisions rest on."""

    admission: Admission

    def of(self, tenant_id: str, request: CheckRequest, decision: Decision) -> Standing | None:
        """What this decision rests on; None where it was not the account's view, as it is now, that decided alone."""
        view = self.admission.views.cached(tenant_id, request.account_id)
        if view is None or view.held is None or view.version != decision.view_version:
            return None
        feature = view.snapshot.catalog.features.get(request.feature_key)
        if feature is None or feature.kind is FeatureKind.METERED or decision.decided_on is DecidedOn.FALLBACK:
            return None
        if request.at_time is not None or request.min_view_version:
            return None
        phase = view.held.phase_at(self.admission.now(view))
        return Standing(admission=self.admission, view=view, start=phase.start, end=phase.end)
