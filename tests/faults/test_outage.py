"""Redis stays away for longer than anything in process may be old: failure policies go on answering, and only they."""

import pytest

import patience
from collectors import until
from faults.callers import Caller, Refusal, decided_on, new_world, reason, written
from faults.installations import Installation, sqlite
from faults.planted import fails_without
from tallygate.data_plane.views import Views
from tallygate.domain.credential import mint_key

STALENESS = 0.3


def the_last_catalogue_seen(monkeypatch, _module):
    monkeypatch.setattr(Views, "last_catalog", lambda *_: None)


@pytest.fixture(params=["grpcio", "native"])
def installation(valkey, tmp_path, request):
    installation = Installation(valkey, sqlite(tmp_path))
    installation.patience = patience.SHORT
    installation.server = {"transport": request.param}
    return installation


def refused(answer):
    return (answer.code.name, answer.reason) if isinstance(answer, Refusal) else reason(answer)


UNAVAILABLE = ("UNAVAILABLE", "STORE_UNAVAILABLE")


async def outlasted(caller):
    """Wait until nothing is left that would be young enough to decide on."""

    async def stale():
        return refused(await caller.check("acme", "sso")) == UNAVAILABLE

    await until(stale)


@fails_without(the_last_catalogue_seen)
async def test_policies_answer_for_as_long_as_an_outage_lasts(installation, key, valkey):
    async with (
        installation.role("all", max_staleness=STALENESS) as application,
        installation.role("data", max_staleness=STALENESS) as sidecar,
        Caller(application.grpc_address, key) as owner,
        Caller(sidecar.grpc_address, key) as caller,
        Caller(sidecar.grpc_address, mint_key(b"s" * 32)) as stranger,
    ):
        await new_world(owner, "acme", "globex")
        assert (await written(caller.rate_limit("acme"))).allowed
        assert (await written(caller.check("acme", "sso"))).allowed
        valkey.kill()
        await outlasted(caller)
        for account in ("acme", "globex", "nobody"):  # the last catalogue seen decides, whoever asks
            limited = await written(caller.rate_limit(account))
            assert (limited.allowed, reason(limited), decided_on(limited)) == (True, "STORE_UNAVAILABLE", "FALLBACK")
            assert refused(await caller.rate_limit(account, "strict_rps")) == UNAVAILABLE
            assert refused(await caller.consume(account, 1, request_id="r")) == UNAVAILABLE
        assert refused(await stranger.rate_limit("acme")) == UNAVAILABLE, "it was never met"
        await outlasted(owner)
        assert refused(await owner.account("acme", "small")) == UNAVAILABLE, "no policy speaks of writes"
        valkey.start()

        async def back():
            return not isinstance(await caller.consume("acme", 1, request_id="r"), Refusal)

        await until(back)


@fails_without(the_last_catalogue_seen)
async def test_a_listeners_key_that_no_caller_used_yet_serves_policies_too(installation, key, valkey, tmp_path):
    async with installation.role("all") as application, Caller(application.grpc_address, key) as owner:
        await new_world(owner, "acme")
        file = tmp_path / "listener.key"
        file.write_text(key)
        installation.server["listener_key_file"] = file
        async with (
            installation.role("data", max_staleness=STALENESS) as sidecar,
            Caller(sidecar.grpc_address, key) as known,
            Caller(sidecar.grpc_address, "") as nameless,
        ):
            assert (await written(known.rate_limit("acme"))).allowed
            valkey.kill()
            await outlasted(known)
            limited = await written(nameless.rate_limit("acme"))
            assert (limited.allowed, decided_on(limited)) == (True, "FALLBACK")
