"""Methods that are used no more, forgotten by their gateways: asked after the transaction that detached them."""

import logging
from dataclasses import dataclass

from tallygate.billing.attempts import Moment
from tallygate.billing.methods import live
from tallygate.billing.paying import PaymentRunner
from tallygate.billing.ports import NoAnswerError
from tallygate.domain.billing.payments import Method
from tallygate.domain.errors import InvalidFieldError
from tallygate.domain.payment_errors import GatewayMissingError
from tallygate.records.payments import FORGET
from tallygate.records.ports import BillingWork

_AGAIN = 600_000_000
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodForgetter:
    """Has gateways forget tokens. A job that runs twice, or on two workers, changes nothing more."""

    payments: PaymentRunner

    async def forget(self, tenant_id: str, method_id: str, *, at: int | None = None) -> None:
        """Have a detached method's token forgotten; asked again ten minutes later where its gateway is silent.

        What an attempt may still be paid by stays until that is known, and what was attached again for good.
        """
        method = await self.payments.read(tenant_id, lambda work: work.payments.method(method_id))
        if method is None or await self.payments.read(tenant_id, lambda work: self._is_used(work, method)):
            return await self._done(tenant_id, method_id, at)
        if await self.payments.read(tenant_id, lambda work: _may_still_pay(work, method)):
            return await self._again(tenant_id, method_id, at)
        try:
            gateway = await self.payments.open(tenant_id, method.gateway)
            token = self.payments.gateways.token(tenant_id, method.gateway, method.token)
            await self.payments.answer(gateway.detach(token))
        except NoAnswerError:
            _log.warning("gateway %s did not answer: method %s is forgotten later", method.gateway, method_id)
            return await self._again(tenant_id, method_id, at)
        except (GatewayMissingError, InvalidFieldError):
            _log.info("gateway %s cannot know method %s any more", method.gateway, method_id)
        return await self._done(tenant_id, method_id, at)

    async def _is_used(self, work: BillingWork, method: Method) -> bool:
        """Whether the account pays by the same token under another id, or by this method again."""
        gateways = self.payments.gateways

        def token(one: Method) -> str:
            return gateways.token(work.tenant_id, one.gateway, one.token)

        held = live(await work.payments.methods(method.account_id))
        return any((one.gateway, token(one)) == (method.gateway, token(method)) for one in held)

    async def _done(self, tenant_id: str, method_id: str, at: int | None) -> None:
        await self.payments.write(tenant_id, at, lambda work, _: work.jobs.done(FORGET, method_id))

    async def _again(self, tenant_id: str, method_id: str, at: int | None) -> None:
        async def later(work: BillingWork, moment: Moment) -> None:
            await work.jobs.schedule(FORGET, method_id, due_time=moment.now + _AGAIN)

        await self.payments.write(tenant_id, at, later)


async def _may_still_pay(work: BillingWork, method: Method) -> bool:
    return any(one.method_id == method.method_id for one in await work.payments.unresolved(method.account_id))
