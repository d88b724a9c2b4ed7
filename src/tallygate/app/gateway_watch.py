"""Whether payment gateways know the tenants that use them, told by `doctor`. Loads SQL."""

import asyncio

from tallygate.app.errors import UnusableSettingError
from tallygate.app.finding import Finding
from tallygate.app.gateway_side import open_gateways
from tallygate.app.installation import opened
from tallygate.billing.gateways import Gateways
from tallygate.billing.ports import NoAnswerError, StrangerError
from tallygate.domain.billing.payments import Gateway
from tallygate.domain.errors import StoreUnavailableError, TallygateError
from tallygate.settings import Settings
from tallygate.storage.sql.billing.used_gateways import SqlUsedGateways

_MOST = 20
_SECONDS = 20.0
"""For the gateway's library to be loaded; its answer has `billing.gateway_timeout`."""


async def look_at_gateways(settings: Settings) -> list[Finding]:
    """What `doctor` says of the first of them: each is asked something that moves nothing."""
    async with opened(settings) as engine:
        try:
            used = await SqlUsedGateways(engine=engine).first(_MOST)
            gateways = open_gateways(settings, engine)
        except StoreUnavailableError:
            return [Finding(name="gateways", ok=False, detail="the database cannot say", fix="see `database` above")]
        except UnusableSettingError as error:
            return [Finding(name="gateways", ok=False, detail=str(error), fix="correct billing.master_key_file")]
        heard = [_hears(gateways, settings, tenant_id, one) for tenant_id, one in used]
        looks = await asyncio.gather(*(_look(gateways, tenant_id, one) for tenant_id, one in used))
        return [*looks, *(one for one in heard if one is not None)]


def _hears(gateways: Gateways, settings: Settings, tenant_id: str, used: Gateway) -> Finding | None:
    """Whether what a gateway tells is heard, where either half of that was asked for."""
    if used.name not in gateways.adapters:
        return None
    signs = {one.name for one in gateways.adapters[used.name].secrets if one.hears} & set(used.secrets)
    listens = bool(settings.server.http_address)
    if listens == bool(signs):
        return None
    name = f"webhooks of {used.name} of {tenant_id}"
    if signs:
        fix = "set server.http_address here, or run doctor with the settings of the process that has it"
        return Finding(name=name, ok=False, detail="it signs what it tells, and this process does not listen", fix=fix)
    wanted = next(one.name for one in gateways.adapters[used.name].secrets if one.hears)
    fix = f"`tallygate payment gateway {used.name} --secret {wanted}=FILE`"
    return Finding(name=name, ok=False, detail=f"whatever it tells is refused: no {wanted} was given", fix=fix)


async def _look(gateways: Gateways, tenant_id: str, used: Gateway) -> Finding:
    name = f"gateway {used.name} of {tenant_id}"
    again = f"send `tallygate payment gateway {used.name}` with credentials that hold"
    try:
        async with asyncio.timeout(_SECONDS):
            await gateways.open(tenant_id, used).check()
    except StrangerError:
        return Finding(name=name, ok=False, detail="it does not know the credentials", fix=again)
    except (NoAnswerError, TimeoutError):
        fix = "see whether its own status page tells of an outage, and that this machine may reach it"
        return Finding(name=name, ok=False, detail="it does not answer", fix=fix)
    except TallygateError as error:
        return Finding(
            name=name, ok=False, detail=str(error), fix=f"name the key in billing.master_key_file, or {again}"
        )
    return Finding(name=name, ok=True, detail="it knows the tenant")
