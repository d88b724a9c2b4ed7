"""What a tenant and its gateway alone know: kept sealed, shown nowhere, and of no use with another master key."""

import base64
import logging
import secrets
import sqlite3
from contextlib import asynccontextmanager, closing

import grpc
import pytest

from conftest import testing_settings
from tallygate.app import Application, StartError, create_key, create_tenant, reseal
from tallygate.domain.credential import ENTROPY_BYTES, mint_key
from tallygate.domain.payment_errors import MasterKeyWrongError
from tallygate.settings import BillingSettings
from tenants import Tenant, failure

HOOK = "whsec_3fd1b0c4a7"
TOKEN = "fake_ok"
OLD, NEW = (base64.b64encode(bytes([one]) * 32).decode() for one in b"on")


@pytest.fixture
def installation(tmp_path):
    """A server on this directory, with these master keys: its tenant's calls."""
    key = mint_key(secrets.token_bytes(ENTROPY_BYTES))

    @asynccontextmanager
    async def running(*keys, **billing):
        path = tmp_path / "master.key"
        path.write_text("\n".join(keys))
        chosen = BillingSettings(master_key_file=path if keys else None, **billing)
        async with (
            Application(testing_settings(tmp_path / "data", billing=chosen)) as application,
            grpc.aio.insecure_channel(application.grpc_address) as channel,
        ):
            yield Tenant(channel, key)

    running.database = tmp_path / "data" / "tallygate.db"
    running.settings = lambda: testing_settings(tmp_path / "data")
    return running


def kept(path):
    """Every text that is anywhere in the database."""
    with closing(sqlite3.connect(path)) as connection:
        return "\n".join(connection.iterdump())


async def set_up(tenant):
    await tenant.call("SetGateway", name="fake", credentials={"webhook_secret": HOOK})
    await tenant.call("UpsertAccount", account_id="acme")
    await tenant.call("AttachMethod", account_id="acme", method_id="card", token=TOKEN)


async def test_secrets_are_sealed_at_rest_and_shown_nowhere(installation, caplog):
    caplog.set_level(logging.DEBUG)
    async with installation(OLD) as tenant:
        await set_up(tenant)
        shown = (await tenant.call("ListGateways")).gateways
        assert [(one.name, list(one.credentials)) for one in shown] == [("fake", ["webhook_secret"])]
        wrong = await failure(tenant.call("SetGateway", name="fake", credentials={"webhook": HOOK}))
        assert wrong[1] == "INVALID_FIELD"
        texts = [str(shown), str(wrong), caplog.text, str(await tenant.call("ListMethods", account_id="acme"))]
        texts.append(str(await tenant.call("ListTransfers")))
        await tenant.call("AttachMethod", account_id="acme", method_id="card", token=TOKEN)
        other = tenant.call("AttachMethod", account_id="acme", method_id="card", token="fake_never")
        assert (await failure(other))[1] == "ALREADY_EXISTS"
    texts.append(kept(installation.database))
    assert "sealed.v1." in texts[-1]
    assert [text for text in texts if HOOK in text] == []
    assert f"'{TOKEN}'" not in texts[-1]


async def test_another_master_key_opens_nothing_and_says_so(installation):
    async with installation(OLD) as tenant:
        await set_up(tenant)
    attach = {"account_id": "acme", "method_id": "card", "token": TOKEN}
    async with installation(NEW) as tenant:
        assert (await failure(tenant.call("AttachMethod", **attach)))[1] == "MASTER_KEY_WRONG"
        assert len((await tenant.call("ListMethods", account_id="acme")).methods) == 1, "what is no secret is read"
    async with installation() as tenant:
        assert (await failure(tenant.call("AttachMethod", **attach)))[1] == "MASTER_KEY_MISSING"
    async with installation(NEW, OLD) as tenant:
        await tenant.call("AttachMethod", **attach)


async def test_a_master_key_is_changed_and_the_old_one_taken_away(installation, tmp_path):
    """Credentials and the token are sealed anew, once; what was kept without a key is sealed, too."""
    async with installation() as tenant:
        await tenant.call("SetGateway", name="fake")
        await tenant.call("UpsertAccount", account_id="acme")
        await tenant.call("AttachMethod", account_id="acme", method_id="card", token=TOKEN)
    async with installation(OLD) as tenant:
        await tenant.call("SetGateway", name="fake", credentials={"webhook_secret": HOOK})
    path = tmp_path / "master.key"
    path.write_text(f"{NEW}\n{OLD}\n")
    settings = testing_settings(tmp_path / "data", billing=BillingSettings(master_key_file=path))
    assert await reseal(settings) == 2
    assert await reseal(settings) == 0
    async with installation(NEW) as tenant:
        await tenant.call("AttachMethod", account_id="acme", method_id="card", token=TOKEN)
        await tenant.call("SetGateway", name="fake", credentials={"webhook_secret": HOOK})
    text = kept(installation.database)
    assert f"'{TOKEN}'" not in text
    assert HOOK not in text
    path.write_text(OLD)
    with pytest.raises(MasterKeyWrongError):
        await reseal(settings)
    with pytest.raises(StartError, match=r"billing\.master_key_file"):
        await reseal(installation.settings())


async def test_without_a_master_key_only_words_are_kept(installation):
    """The built-in gateway's tokens are no secrets, so that it can be tried without a key."""
    async with installation() as tenant:
        set_secret = tenant.call("SetGateway", name="fake", credentials={"webhook_secret": HOOK})
        assert (await failure(set_secret))[1] == "MASTER_KEY_MISSING"
        await tenant.call("SetGateway", name="fake")
        await tenant.call("UpsertAccount", account_id="acme")
        await tenant.call("AttachMethod", account_id="acme", token=TOKEN)
    assert f"'{TOKEN}'" in kept(installation.database)


async def test_a_file_that_holds_no_key_is_told_before_anything_starts(installation):
    with pytest.raises(StartError, match=r"billing\.master_key_file.*line 1 holds no key") as refused:
        async with installation("hunter2"):
            pass
    assert "hunter2" not in str(refused.value)


async def test_a_live_tenant_does_not_pay_in_play_money_unless_it_may(installation):
    async with installation(OLD):
        pass
    await create_tenant(installation.settings(), tenant_id="live")
    scopes = {"control", "billing"}
    _, key = await create_key(installation.settings(), tenant_id="live", name="k", scopes=scopes)
    async with installation(OLD) as tenant:
        live = Tenant(tenant.channel, key)
        assert (await failure(live.call("SetGateway", name="fake")))[1] == "GATEWAY_REFUSED"
        assert not (await live.call("ListGateways")).gateways
    async with installation(OLD, fake_on_live=True) as tenant:
        live = Tenant(tenant.channel, key)
        assert (await live.call("SetGateway", name="fake")).gateway.webhook_path == "/gateways/live/fake"
