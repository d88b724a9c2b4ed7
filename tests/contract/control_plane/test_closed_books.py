"""Books that are closed: nothing is posted into them any more, on both databases."""

from dataclasses import replace

from tallygate.billing.ledger import close_books
from tallygate.domain.billing.posting import Transfer
from tallygate.records.ledger import TransferQuery

DAY = 86_400_000_000


async def test_what_comes_late_takes_effect_when_the_books_were_closed(plane):
    closed = plane.now - DAY
    one = Transfer(
        entry_id="invoice/a",
        line=1,
        time=closed - 5 * DAY,
        account_id="acme",
        debit="account:Receivable",
        credit="seller:Backlog",
        currency="USD",
        amount=100,
    )

    async def post(*transfers):
        await plane.write(lambda work, _: work.ledger.post(transfers))

    async def standing(at):
        found = await plane.read(lambda work, _: work.ledger.balances(at=at))
        return {each.ledger_account: each.debits - each.credits for each in found}

    await post(one)
    assert await plane.write(lambda work, now: close_books(work, closed, now=now)) == closed
    await post(replace(one, entry_id="invoice/b", amount=7), replace(one, entry_id="invoice/c", time=plane.now))
    assert await standing(closed - 1) == {"account:Receivable": 100, "seller:Backlog": -100}
    assert await standing(closed) == {"account:Receivable": 107, "seller:Backlog": -107}
    listed = await plane.read(lambda work, _: work.ledger.list(TransferQuery(limit=10, oldest_first=True)))
    assert [each.time for each in listed] == [one.time, closed, plane.now]
