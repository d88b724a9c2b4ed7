"""Which part of an installation one process is, and what its parent has done for it."""

from dataclasses import dataclass

from tallygate.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What a process does: decide, which needs Redis alone; the control plane, and a worker's loops, which need SQL.

    One that `has_parent` has no admin port: its parent asks what that would show. `redis_socket` is the parent's
    embedded Valkey; `socket` a private one, where the control plane is served to the parent alone, and `secret` marks
    the calls of clients that the parent knows by their certificates.
    """

    decides: bool = False
    controls: bool = False
    works: bool = False
    has_parent: bool = False
    redis_socket: str = ""
    socket: str = ""
    secret: str = ""

    @property
    def has_sql(self) -> bool:
        """Whether it stands on a database."""
        return self.controls or self.works


def whole(settings: Settings) -> Part:
    """All that a role does, in one process."""
    role = settings.role
    return Part(decides=role in {"all", "data"}, controls=role in {"all", "control"}, works=role in {"all", "worker"})
