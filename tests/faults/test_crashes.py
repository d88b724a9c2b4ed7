"""A process that dies at any step of its store leaves books that it can finish: the same as had it never died."""

import random
import sqlite3
from contextlib import closing

import pytest

from faults.crashes import DAY, JANUARY, Act, Books, billed, dying, history, live, two_workers, undisturbed
from tallygate.storage.sql.billing.billed_accounts import SqlBillingAccounts
from tallygate.storage.sql.billing.documents import SqlInvoiceRepository
from tallygate.storage.sql.billing.issued_lines import SqlIssuedLines
from thorough import every, some

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # who dies closes nothing

PARTS = some(6)
"""Into how many tests the steps are dealt, so that they run side by side."""
SAMPLE = some(10)


def total(books: Books, account: str) -> int:
    return sum(document[4] for document in books.documents if document[1] == account)


def gapless(books: Books) -> bool:
    return [int(number[-6:]) for number in books.numbers] == list(range(1, books.next_numbers["invoices"]))


async def test_the_books_of_the_undisturbed_history(fresh):
    """acme: 10.00; 37 x 0.50 + 5.00 - 5.00 + 20.00 + 40.00; 40.00 + 4 x 0.50. globex: 3 x 10.00 + 5 x 0.50."""
    books = await live(fresh(), history())
    assert (total(books, "acme"), total(books, "globex")) == (1_000 + 7_850 + 4_200, 3_250)
    assert gapless(books)
    assert len(books.documents) == 6


@pytest.mark.parametrize("part", range(PARTS))
async def test_dying_at_any_step_changes_nothing(fresh, part):
    story = await undisturbed(fresh(), history())
    for step in range(story.points[2].steps + 1 + part, story.steps + 1, every(PARTS)):
        assert await dying(fresh(), story, step) == story.books, f"died at step {step}"


async def test_jobs_fired_twice_change_nothing_whenever_one_dies(fresh):
    once, twice = await live(fresh(), history()), await undisturbed(fresh(), history(), doubled=True)
    assert twice.books == once
    for step in random.Random(7).sample(range(1, twice.steps), SAMPLE):
        assert await dying(fresh(), twice, step) == once, f"died at step {step}"


async def test_two_workers_at_once_charge_the_same_without_gaps(fresh):
    story = await undisturbed(fresh(), history())
    for step in [0, *random.Random(8).sample(range(1, story.steps), SAMPLE // 2)]:
        books = await live(fresh(), history(two_workers), kill_at=step)
        assert books.lines == story.books.lines, f"died at step {step}"
        assert gapless(books), f"died at step {step}"


async def test_months_that_were_missed_are_invoiced_oldest_first(fresh):
    """No worker for four months: it costs what it would have, and each account's months come in their order."""
    march = JANUARY + 59 * DAY
    asleep = [act for act in history() if act.act is not billed]
    late = await live(fresh(), [*asleep, Act(march, billed)])
    timely = await live(fresh(), [*history(), Act(JANUARY + 31 * DAY, billed), Act(march, billed)])
    for account in ("acme", "globex"):
        assert total(late, account) == total(timely, account)
        ends = [end for owner, end in late.order if owner == account]
        assert ends == sorted(ends)
        assert len(ends) == 5
    assert gapless(late)


async def after_dying(fresh, path=None) -> tuple[Books, list[Books]]:
    """The undisturbed books, and those of deaths while the last month is invoiced."""
    story = await undisturbed(path or fresh(), history())
    steps = range(story.points[-2].steps + 1, story.steps + 1, every(2))
    return story.books, [await dying(fresh(), story, step) for step in steps]


def apart_from_progress(monkeypatch) -> None:
    """Documents are committed before the note of how far the account is billed."""
    put = SqlBillingAccounts.put

    async def later(self, account):
        await self.scope.connection.commit()
        await put(self, account)

    monkeypatch.setattr(SqlBillingAccounts, "put", later)


def forgetting_what_was_issued(monkeypatch) -> None:
    async def none(*_args, **_kwargs):
        return ()

    monkeypatch.setattr(SqlIssuedLines, "since", none)


def without_keys(path) -> None:
    """The tables of documents and of the ledger without their unique keys and triggers."""
    with closing(sqlite3.connect(path)) as connection, connection:
        for table in ("invoices", "invoice_lines", "invoice_balances", "ledger_transfers", "recognitions"):
            connection.execute(f"CREATE TABLE plain AS SELECT * FROM {table}")  # noqa: S608 - of this list
            connection.execute(f"DROP TABLE {table}")
            connection.execute(f"ALTER TABLE plain RENAME TO {table}")


async def test_with_numbers_taken_outside_of_the_transaction_numbers_are_lost(fresh, monkeypatch):
    taken = SqlInvoiceRepository.next_number

    async def apart(self, series, *, now):
        number = await taken(self, series, now=now)
        await self.scope.connection.commit()
        return number

    monkeypatch.setattr(SqlInvoiceRepository, "next_number", apart)
    _, died = await after_dying(fresh)
    assert not all(gapless(books) for books in died)


async def test_what_was_issued_is_found_though_it_was_not_noted(fresh, monkeypatch):
    """The documents are the truth, the note of how far an account is billed only saves looking."""
    apart_from_progress(monkeypatch)
    undisturbed_books, died = await after_dying(fresh)
    assert all(books == undisturbed_books for books in died)


async def test_by_unique_keys_alone_nothing_is_charged_twice(fresh, monkeypatch):
    """With every other protection off the close of an account fails rather than charge again."""
    apart_from_progress(monkeypatch)
    forgetting_what_was_issued(monkeypatch)
    undisturbed_books, died = await after_dying(fresh)
    assert all(books == undisturbed_books for books in died)


async def test_with_every_protection_off_it_charges_twice(fresh, monkeypatch):
    apart_from_progress(monkeypatch)
    forgetting_what_was_issued(monkeypatch)
    path = fresh()
    without_keys(path)
    undisturbed_books, died = await after_dying(fresh, path)
    assert any(total(books, "acme") > total(undisturbed_books, "acme") for books in died)
