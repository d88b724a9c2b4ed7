"""`python -m charts.render`: what the real `helm` makes of the chart for each values file, in tests/charts/goldens.

And what the real `kustomize` makes of the manifests, in tests/charts/kustomized. With `--check` nothing is written, and
what differs is shown. The goldens carry a digest of what they were made from, so that `make test` finds out without
these programs that something has changed since.
"""

import argparse
import difflib
import hashlib
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
CHART = ROOT / "deploy" / "helm" / "tallygate"
VALUES = Path(__file__).parent / "values"
APPLICATION = Path(__file__).parent / "application"
GOLDENS = Path(__file__).parent / "goldens"
MANIFESTS = ROOT / "deploy" / "kubernetes"
KUSTOMIZED = Path(__file__).parent / "kustomized"
KUSTOMIZATIONS = ("base", "example")
"""The sidecar is a component: it is in the example."""
DIGEST = GOLDENS / "DIGEST"
RELEASE, NAMESPACE, KUBERNETES = "billing", "billing", "1.30.0"
TIMEOUT = 60
"""Seconds for one run of a program."""


def digest() -> str:
    """Of all that a rendering depends on, in hexadecimal digits."""
    found = hashlib.sha256()
    for directory in (CHART, VALUES, APPLICATION, MANIFESTS):
        for path in sorted(path for path in directory.rglob("*") if path.is_file()):
            found.update(f"{path.relative_to(ROOT)}\0".encode() + path.read_bytes() + b"\0")
    return found.hexdigest()


def renderings(helm: str) -> Iterator[tuple[str, str]]:
    """Each values file's name and what helm renders, the application's with Tallygate as its dependency."""
    with tempfile.TemporaryDirectory() as directory:
        application = Path(directory) / "application"
        shutil.copytree(APPLICATION, application)
        shutil.copytree(CHART, application / "charts" / "tallygate")
        for values in sorted(VALUES.glob("*.yaml")):
            chart = application if values.stem == "sidecar" else CHART
            asked = [str(chart), "--values", str(values)]
            run(helm, "lint", "--strict", *asked)
            yield (
                values.stem,
                run(helm, "template", RELEASE, *asked, "--namespace", NAMESPACE, "--kube-version", KUBERNETES),
            )


def run(program: str, *arguments: str) -> str:
    done = subprocess.run([program, *arguments], capture_output=True, text=True, timeout=TIMEOUT, check=False)
    if done.returncode:
        sys.exit(f"{program} {' '.join(arguments)}\n{done.stdout}{done.stderr}")
    return done.stdout


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, fail where a golden differs")
    parser.add_argument("--helm", default="helm", help="the program, where it is not on the PATH")
    parser.add_argument("--kustomize", default="kustomize", help="the program, where it is not on the PATH")
    arguments = parser.parse_args()
    made = {GOLDENS / f"{name}.yaml": text for name, text in renderings(arguments.helm)} | {DIGEST: f"{digest()}\n"}
    for name in KUSTOMIZATIONS:
        made[KUSTOMIZED / f"{name}.yaml"] = run(arguments.kustomize, "build", str(MANIFESTS / name))
    if not arguments.check:
        for path, text in made.items():
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
        return
    different = 0
    for path, text in made.items():
        kept, name = path.read_text() if path.exists() else "", path.name
        lines = difflib.unified_diff(kept.splitlines(True), text.splitlines(True), f"kept/{name}", f"made/{name}")
        shown = "".join(lines)
        different += bool(shown)
        sys.stdout.write(shown)
    if different:
        sys.exit(f"{different} renderings differ from tests/charts: `make charts` writes them anew")


if __name__ == "__main__":
    main()
