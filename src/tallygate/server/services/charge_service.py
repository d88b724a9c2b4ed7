"""ChargeService: charges that apps tell."""

from tallygate.billing.app_charges import raise_limit
from tallygate.billing.asking_apps import AskedLimit, ChargeRunner
from tallygate.domain.errors import InvalidFieldError
from tallygate.domain.payment_errors import CurrencyMismatchError
from tallygate.records.lookup import known_account
from tallygate.records.ports import BillingWork
from tallygate.server.calls.method import Call
from tallygate.server.services.tenant_work import TenantWork
from tallygate.server.wire.app_charge import encode_limit, encode_run, encode_shown
from tallygate.server.wire.fee import decode_whole_money
from tallygate.server.wire.scalars import identifier
from tallygate_api.v1 import charge_service_pb2 as wire


class ChargeServicer:
    """Serves ChargeService."""

    def __init__(self, work: TenantWork, charges: ChargeRunner) -> None:
        self._work = work
        self._charges = charges

    async def GetChargeLimit(self, request: wire.GetChargeLimitRequest, call: Call) -> wire.GetChargeLimitResponse:  # noqa: N802 - the wire's name
        """What an app may charge."""
        account_id = identifier(request.account_id, "account_id")
        product_key = identifier(request.product_key, "product_key")
        limit = await self._charges.limit(call.tenant_id, account_id, product_key)
        return wire.GetChargeLimitResponse(limit=encode_limit(limit))

    async def RaiseChargeLimit(  # noqa: N802 - the wire's name
        self, request: wire.RaiseChargeLimitRequest, call: Call
    ) -> wire.RaiseChargeLimitResponse:
        """Let it charge more."""
        account_id = identifier(request.account_id, "account_id")
        if not request.HasField("limit"):
            raise InvalidFieldError(field="limit", expected="an amount")

        async def raised(work: BillingWork, now: int) -> AskedLimit:
            own = (await work.tenants.get()).currency
            amount, currency = decode_whole_money(request.limit, "limit", usual=own)
            if currency != own:
                raise CurrencyMismatchError(currency=currency, expected=own)
            limit = await raise_limit(work, account_id, amount, now=now)
            return AskedLimit(subscription_id=limit.subscription_id, currency=limit.currency, amount=limit.amount)

        written = await self._work.write(call, raised)
        return wire.RaiseChargeLimitResponse(limit=encode_limit(written.value))

    async def ListCharges(self, request: wire.ListChargesRequest, call: Call) -> wire.ListChargesResponse:  # noqa: N802 - the wire's name
        """What an app charges so far."""
        account_id = identifier(request.account_id, "account_id")
        return encode_shown(await self._charges.show(call.tenant_id, account_id))

    async def ListChargeRuns(self, request: wire.ListChargeRunsRequest, call: Call) -> wire.ListChargeRunsResponse:  # noqa: N802 - the wire's name
        """What became of each period's charges."""
        account_id = identifier(request.account_id, "account_id")

        async def found(work: BillingWork, _now: int) -> wire.ListChargeRunsResponse:
            await known_account(work, account_id)
            runs = await work.app_charges.runs(account_id)
            return wire.ListChargeRunsResponse(runs=map(encode_run, runs))

        return await self._work.read(call, found)
