"""How long a user waits: from a bare directory to ready, from a used one, and for `--help`."""

import shutil
import sys
from statistics import median

from load.figure import Figure
from load.processes import Sidecar, held_bytes, parts, resident_bytes, timed
from load.world import World, scratch_directory

_HELD = "PSS: what processes share counts once"
_HELP = [sys.executable, "-m", "tallygate", "--help"]


def startup(times: int) -> list[Figure]:
    """Everything with the embedded Valkey and SQLite, as `tallygate serve` does without settings."""
    cold, warm, resident, held = [], [], 0.0, {}
    for number in range(times + 1):
        directory = scratch_directory()
        sidecar = Sidecar(directory, {})
        seconds = [sidecar.start()]
        sidecar.stop()
        seconds.append(sidecar.start())
        resident = resident_bytes(sidecar.pid) / 2**20
        held = {part: held_bytes(member) / 2**20 for part, member in parts(sidecar.pid).items()}
        sidecar.stop()
        shutil.rmtree(directory, ignore_errors=True)
        if number:  # the first one compiles what pip would have compiled when it installed it
            cold.append(seconds[0])
            warm.append(seconds[1])
    note = f"median of {times}"
    return [
        Figure(name="cold start to ready", unit="s", value=median(cold), target="<= 2", note=note),
        Figure(name="start with data to ready", unit="s", value=median(warm), note=note),
        Figure(name="RSS when idle, with its Valkey", unit="MiB", value=resident),
        Figure(name="memory when idle: all parts", unit="MiB", value=sum(held.values()), target="<= 160", note=_HELD),
        *(
            Figure(name=f"the same: {part}", unit="MiB", value=value, target="<= 60" if part == "deciding" else "")
            for part, value in held.items()
        ),
        Figure(
            name="tallygate --help",
            unit="s",
            value=median(timed(_HELP) for _ in range(2 * times)),
            target="<= 0.3",
            note=f"median of {2 * times}",
        ),
    ]


def resident(world: World) -> Figure:
    """What the sidecar holds after its caches were filled by everything before."""
    value = resident_bytes(world.sidecar.pid) / 2**20
    return Figure(name="server RSS after the rounds", unit="MiB", value=value, transport=world.transport)
