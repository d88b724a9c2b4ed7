"""What of the settings a running process takes over when they are read again, and what became of that."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tallygate.app.client_file import read_clients
from tallygate.app.listening import listener_key, server_tls
from tallygate.server.operations.admin import Check
from tallygate.settings import Settings, SettingsError, flat

TAKEN_OVER = {
    "logging": ("level",),
    "server": ("listener_key_file", "default_deadline", "max_deadline", "drain_delay_seconds", "drain_seconds"),
    "redis": ("connect_timeout", "read_timeout"),
}
"""By group, with what the files hold that they name; certificates and tokens are read again whenever they are used."""

REFUSED = (
    "tallygate_settings_refused",
    "Whether the settings that were read last cannot be used, and those before them count.",
)

_LOOK_SECONDS = 1.0
_log = logging.getLogger(__name__)


def settings_check(problem: str) -> Check:
    """Whether the settings that were read last are those that count: not required, because the old ones were good."""
    return Check(ok=not problem, detail=problem and f"kept as they were: {problem}", required=False)


class Running(Protocol):
    """A process, or several, that settings can be handed to."""

    def reload(self, settings: Settings) -> None:
        """Take over what can be."""
        ...

    def refuse(self, problem: str) -> None:
        """Say in checks and metrics why settings that were read again are not used; empty: they are."""
        ...


def taken_over(old: Settings, new: Settings) -> Settings:
    """The old settings with what a running process takes over of the new ones."""
    groups = {
        group: getattr(old, group).model_copy(update={name: getattr(getattr(new, group), name) for name in names})
        for group, names in TAKEN_OVER.items()
    }
    return old.model_copy(update=groups)


@dataclass(slots=True)
class Reloading:
    """Reads the settings of a running server `again`; what cannot be used changes nothing, and is told."""

    settings: Settings
    again: Callable[[], Settings]
    running: Running
    file: Path | None = None

    def __call__(self) -> None:
        """Read them, and take over what can be: all of it, or nothing."""
        try:
            _require_written(self.file)
            new = self.again()
            listener_key(new)
            server_tls(new)
            read_clients(new)
        except SettingsError as error:
            problem = " | ".join(str(error).splitlines())
            _log.error("the settings are kept as they were: %s", problem)
            self.running.refuse(problem)
            return
        old, self.settings = self.settings, taken_over(self.settings, new)
        wanted, now = dict(flat(new)), dict(flat(self.settings))
        others = sorted(key for key in now if now[key] != wanted[key])
        self._tell(old, others)
        self.running.reload(self.settings)
        self.running.refuse("")

    def _tell(self, old: Settings, others: list[str]) -> None:
        """Say what is so now, at whatever level is logged."""
        root, level = logging.getLogger(), self.settings.logging.level
        before, now = dict(flat(old)), dict(flat(self.settings))
        changed = ", ".join(sorted(key for key in now if now[key] != before[key] and key != "logging.level"))
        root.setLevel(min(root.level, logging.getLevelNamesMapping()[level.upper()], logging.WARNING))
        _log.warning(
            "settings were read again: the log level is %s%s%s",
            level,
            f", changed: {changed}" if changed else "",
            f"; these count from the next start on: {', '.join(others)}" if others else "",
        )
        root.setLevel(level.upper())


async def watch(file: Path, reload: Callable[[], None]) -> None:
    """Until cancelled: reload once the file is another one, by its inode, size or time, and was the same for a second.

    One that is gone or empty is being replaced, and one that changes all the time is being written.
    """
    known = before = _stamp(file)
    while True:
        await asyncio.sleep(_LOOK_SECONDS)
        found = _stamp(file)
        if found == before and found not in (known, None):
            known = found
            reload()
        before = found


def _require_written(file: Path | None) -> None:
    """Make sure that the file is not about to be written: no setting of it would be what anybody meant."""
    if file is not None and _stamp(file) is None:
        problem = f"{file}: it is empty or gone: expected the settings; to do without them start anew"
        raise SettingsError(problem)


def _stamp(file: Path) -> tuple[int, int, int] | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return (found.st_ino, found.st_size, found.st_mtime_ns) if found.st_size else None
