"""Keys that settings name by a file: API keys, and those that secrets are sealed with."""

from pathlib import Path
from typing import TYPE_CHECKING

from tallygate.app.errors import UnusableSettingError
from tallygate.domain.credential import is_well_formed
from tallygate.settings import Settings
from tallygate.settings.texts import UnreadableError, read_text

if TYPE_CHECKING:
    from tallygate.storage.sealing import AesSealing


def read_key(setting: str, path: Path) -> str:
    """The key in the file that this setting names.

    Raises:
        UnusableSettingError: it cannot be read, or holds no key.
    """
    try:
        key = read_text(path).strip()
    except UnreadableError as error:
        problem = f"cannot read {path}: {error}"
        raise UnusableSettingError(problem, key=setting) from error
    if not is_well_formed(key):
        problem = f"{path} holds no API key: expected tg_ and 49 letters and digits"
        raise UnusableSettingError(problem, key=setting)
    return key


def read_sealing(settings: Settings) -> "AesSealing":
    """What seals secrets; it has no key where none is named. Loads cryptography.

    Raises:
        UnusableSettingError: the file cannot be read, or holds no keys.
    """
    from tallygate.storage.sealing import AesSealing, MasterKeyError, parse_keys  # noqa: PLC0415 - loads cryptography

    path = settings.billing.master_key_file
    if path is None:
        return AesSealing()
    try:
        return AesSealing(keys=parse_keys(read_text(path)))
    except UnreadableError as error:
        problem = f"cannot read {path}: {error}"
        raise UnusableSettingError(problem, key="billing.master_key_file") from error
    except MasterKeyError as error:
        problem = f"{path}: {error}"
        raise UnusableSettingError(problem, key="billing.master_key_file") from None
