"""What documents are derived from where nothing has happened yet: expected usage, and lines that nobody issued."""

from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from tallygate.domain.billing.adjusting import IssuedLine
from tallygate.domain.billing.allowances import allowance
from tallygate.domain.billing.counting import BillableFact
from tallygate.domain.billing.documents import Invoice
from tallygate.domain.billing.lines import Line
from tallygate.domain.billing.rating import Billed
from tallygate.domain.billing.tax import Credited
from tallygate.domain.billing.timeline import Timeline
from tallygate.domain.billing.windows import UsageWindow
from tallygate.domain.catalog import Aggregation, Feature
from tallygate.records.billing import Forgiven, IssuedLines
from tallygate.records.late_usage import UsageLog


@dataclass(frozen=True, slots=True, kw_only=True)
class Supposed:
    """What documents are derived from besides books: supposed lines and usage."""

    tenant_id: str
    issued_lines: IssuedLines
    usage_log: UsageLog


@dataclass(frozen=True, slots=True, kw_only=True)
class SupposedLines:
    """Lines as if they were issued."""

    lines: tuple[Line, ...] = ()

    @classmethod
    def of(cls, documents: Iterable[Invoice]) -> "SupposedLines":
        """Those of documents."""
        return cls(lines=tuple(line for each in documents for line in each.lines))

    async def since(self, account_id: str, *, since: int) -> Sequence[IssuedLine]:  # noqa: ARG002 - they are one's
        """Those that fell due after an instant."""
        found = (line for line in self.lines if line.due > since)
        return [IssuedLine(line_key=line.line_key, due=line.due, exact=line.exact) for line in found]

    async def whole(self, line_keys: Collection[str]) -> dict[str, Line]:
        """Lines by their keys."""
        return {line.line_key: line for line in self.lines if line.line_key in line_keys}

    async def place(self, line_key: str) -> tuple[str, int] | None:  # noqa: ARG002 - none is issued
        """Nowhere: no document was issued."""
        return None

    async def credited(self, line_keys: Collection[str]) -> dict[str, Credited]:
        """Lines by their keys; nothing credited them before."""
        return {key: Credited(line=line) for key, line in (await self.whole(line_keys)).items()}

    async def usage(self, lines: Collection[str]) -> dict[str, Billed]:
        """What usage lines of these windows came to, by window."""
        keys = {line.line_key.rpartition("/")[0]: line.exact for line in self.lines if line.inputs is not None}
        return {window: Billed(exact=exact, revisions=1) for window, exact in keys.items() if window in lines}

    async def from_document(self, account_id: str, documents: int) -> dict[str, Fraction]:  # noqa: ARG002 - none is
        """Nothing: no document was issued."""
        return {}

    async def forgiven(self, account_id: str) -> Sequence[Forgiven]:  # noqa: ARG002 - none is
        """None: no document was issued."""
        return ()

    async def torn(self, invoice_id: str) -> dict[int, str]:  # noqa: ARG002 - none is
        """Nothing: no document was issued."""
        return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedUsage:
    """So many events of a feature in each service period, each of a quantity (a level, where the feature has levels).

    Of a feature that counts distinct members it is so many of them.
    """

    feature: Feature
    quantity: int
    events: int = 1
    dimensions: Mapping[str, str] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """How many events or members it is."""
        return self.events * (self.quantity if self.feature.aggregation is Aggregation.UNIQUE else 1)

    def facts(self, at: int, *, first: int) -> Iterable[BillableFact]:
        """The events, all at an instant, numbered from `first` on."""
        members = self.feature.aggregation is Aggregation.UNIQUE
        for number in range(first, first + self.size):
            member = {self.feature.unique_by: str(number)} if members and self.feature.unique_by else {}
            yield BillableFact(
                quantity=1 if members else self.quantity,
                occurred_time=at,
                request_id=f"{number:012}",
                dimensions={**self.dimensions, **member},
                user_id=str(number) if members else "",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedLog:
    """The log as it would be if a subscription were used as it is expected to be, from each window's start on."""

    timeline: Timeline
    zone: str
    usage: Sequence[ExpectedUsage]

    async def facts(
        self,
        account_id: str,  # noqa: ARG002 - it is one's
        window: UsageWindow,
        *,
        through: int,  # noqa: ARG002 - all of it is expected
        after: tuple[int, str] | None = None,  # noqa: ARG002 - nobody turns its pages
    ) -> AsyncIterator[BillableFact]:
        """The expected facts of a window."""
        number = 0
        for each in self.usage:
            if each.feature.feature_key == window.usage.feature_key:
                included = allowance(self.timeline, each.feature, at=window.start, zone=self.zone)
                for fact in each.facts(window.start, first=number):
                    number += 1
                    yield included.told(fact)

    async def level_before(self, account_id: str, window: UsageWindow, *, through: int) -> int:  # noqa: ARG002 - as above
        """None: it begins with nothing."""
        return 0

    async def head(self) -> int:
        """Where it stands."""
        return 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RetoldLog:
    """The log as it would be under another plan: every fact of a window, whichever plan it carries."""

    log: UsageLog
    timeline: Timeline
    features: Mapping[str, Feature]
    zone: str

    async def facts(
        self, account_id: str, window: UsageWindow, *, through: int, after: tuple[int, str] | None = None
    ) -> AsyncIterator[BillableFact]:
        """The facts of a window, with what the plan includes of them."""
        feature = self.features[window.usage.feature_key]
        included = allowance(self.timeline, feature, at=window.start, zone=self.zone)
        async for fact in self.log.facts(account_id, window.of_any_plan(), through=through, after=after):
            yield included.told(fact)

    async def level_before(self, account_id: str, window: UsageWindow, *, through: int) -> int:
        """The last level observed before a window."""
        return await self.log.level_before(account_id, window, through=through)

    async def head(self) -> int:
        """Where the log stands."""
        return await self.log.head()
