"""API keys that settings name by a file."""

from pathlib import Path

from tallygate.app.errors import UnusableSettingError
from tallygate.domain.credential import is_well_formed
from tallygate.settings.texts import UnreadableError, read_text


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
