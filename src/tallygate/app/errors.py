"""Why the application cannot start, in one line a person can act on."""

from tallygate.domain.errors import ConflictError
from tallygate.settings import SettingsError, environment_name


class StartError(Exception):
    """The application cannot start; the message is one line with cause and fix."""


class UnusableSettingError(StartError, SettingsError):
    """A setting is none that this process can use; the message names it, its variable, and what was expected."""

    def __init__(self, problem: object, *, key: str) -> None:
        super().__init__(f"{key} ({environment_name(key)}): {problem}")


class TenantExistsError(ConflictError):
    """There is a tenant with this id already; choose another, or go on with that one."""


class CallersError(StartError, SettingsError):
    """The application cannot start, for a reason that is its caller's to change, as another process said it."""


def reason(error: BaseException) -> str:
    """What went wrong, in the words of the system or the driver, on one line."""
    words = getattr(error, "strerror", None) or getattr(error, "orig", None) or error
    return " ".join(str(words).split())
