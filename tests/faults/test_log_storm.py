"""A silence of Redis under load is told in a few lines, however many calls it meets."""

import asyncio
import gc
import logging

import patience
from collectors import until
from faults.callers import Caller, Refusal, new_world, written
from faults.planted import fails_without
from tallygate.data_plane.admission import Admission

CALLS = 300


def telling_of_an_outage_once(monkeypatch, _module):
    """Each call that an outage meets is told of."""
    fall_back = Admission.fall_back

    def told(self, feature, error):
        logging.getLogger(__name__).warning("a call failed: %s", error)
        return fall_back(self, feature, error)

    monkeypatch.setattr(Admission, "fall_back", told)


async def storm(caller, turn):
    """Calls of all kinds at once, most of them for accounts that were never met."""
    calls = []
    for number in range(CALLS):
        account = f"a{turn}-{number}"
        calls += [
            caller.consume("acme", 1, request_id=f"{turn}-{number}"),
            caller.check(account, "sso"),
            caller.check("acme", "api_calls"),
            caller.rate_limit(account),
        ]
    return await asyncio.gather(*calls)


@fails_without(telling_of_an_outage_once)
async def test_a_short_silence_under_load_is_a_few_lines(installation, key, valkey, caplog):
    installation.patience = patience.SHORT
    async with (
        installation.role("all") as application,
        installation.role("data") as sidecar,
        Caller(application.grpc_address, key) as owner,
        Caller(sidecar.grpc_address, key) as caller,
    ):
        await new_world(owner, "acme")
        assert (await written(caller.consume("acme", 1, request_id="before"))).allowed
        caplog.set_level(logging.WARNING)
        caplog.clear()
        for turn in range(2):
            valkey.pause()
            answers = await storm(caller, turn) + await storm(owner, turn)
            valkey.resume()
            assert any(isinstance(answer, Refusal) for answer in answers)

            async def back(turn=turn):
                answers = [await c.consume("acme", 1, request_id=f"back {turn}") for c in (caller, owner)]
                return not any(isinstance(answer, Refusal) for answer in answers)

            await until(back)
        gc.collect()
        await asyncio.sleep(0)
    lines = [record.getMessage() for record in caplog.records]
    assert not [line for line in lines if "never retrieved" in line]
    assert len(lines) < CALLS, "as often as calls fail"
