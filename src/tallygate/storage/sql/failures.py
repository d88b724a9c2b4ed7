"""What the database's failures mean to callers; the driver's own words go to the log and no further."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from tallygate.domain.errors import ConflictError, StoreUnavailableError, TallygateError
from tallygate.domain.subscription_errors import SubscriptionConflictError
from tallygate.storage.sql.models import ONE_LIVE_SUBSCRIPTION

_log = logging.getLogger(__name__)
_SQLITE_LIVE = "subscriptions.tenant_id, subscriptions.account_id"


@contextmanager
def translated() -> Iterator[None]:
    """Turn failures of the driver and its pool into the house's errors."""
    try:
        yield
    except IntegrityError as error:
        _log.info("a write lost to what is stored: %s", error.orig)
        raise _conflict(str(error.orig)) from error
    except (SQLAlchemyError, OSError) as error:
        _log.warning("the database failed: %s", " ".join(str(getattr(error, "orig", None) or error).split()))
        raise StoreUnavailableError(store="sql") from error


def _conflict(words: str) -> TallygateError:
    if ONE_LIVE_SUBSCRIPTION in words or _SQLITE_LIVE in words:
        return SubscriptionConflictError(expected="no other live subscription")
    return ConflictError()
