"""The `tallygate` command, as far as it works where its dependencies are missing."""

import gc
import sys

from tallygate import GARBAGE_THRESHOLDS


def main() -> None:
    """Run the command line and exit with its code: 0 done, 1 denied, 2 the caller's to change, 3 undecided."""
    gc.set_threshold(*GARBAGE_THRESHOLDS)
    try:
        from tallygate.cli.main import run  # noqa: PLC0415 - an installation may lack what this imports
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] in {"tallygate", "tallygate_api"}:
            raise
        sys.stderr.write(f"error: {error.name} is missing: pip install tallygate\n")
        sys.exit(2)
    sys.exit(run())


if __name__ == "__main__":
    main()
