"""The `tallygate` command, as far as it works without the extra that it needs."""

import sys


def main() -> None:
    """Run the command line and exit with its code: 0 done, 1 denied, 2 the caller's to change, 3 undecided."""
    try:
        from tallygate.cli.main import run  # noqa: PLC0415 - the plain install is a client and lacks what this imports
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] in {"tallygate", "tallygate_api"}:
            raise
        sys.stderr.write("error: the command line needs its extra: pip install 'tallygate[server]'\n")
        sys.exit(2)
    sys.exit(run())


if __name__ == "__main__":
    main()
