import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

from command_line import tallygate

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
MAKEFILE = (ROOT / "Makefile").read_text()
TARGETS = set(re.findall(r"^([a-z-]+):(?!=)", MAKEFILE, re.MULTILINE))
BUILT_FROM = ("pyproject.toml", "README.md", "LICENSE", "src", "clients/python")
FOREIGN = re.compile(
    r"/wor[k]/|/home/[a-z]|/Users/[a-z]|\bpypi\.org|pythonhosted|npmjs|proxy\.golang|ghcr\.io|docker\.io|quay\.io|maven\.org|index-url\s*[=h]"
)
"""Paths of one machine, and hosts of registries: which mirror serves a build is the machine's business."""
COMMANDS = {"make", "tallygate", "git", "cd", "pip", "python", "buf", "docker", "kubectl", "curl", "export", "go"}


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False).stdout
    assert listed or not (ROOT / ".git").exists(), "git lists nothing: these tests would pass by looking at nothing"
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def texts() -> list[tuple[Path, str]]:
    found = [(path, path.read_bytes()) for path in tracked()]
    return [(path.relative_to(ROOT), data.decode()) for path, data in found if path.suffix != ".binpb"]


def shell_lines(path: Path) -> list[str]:
    blocks = re.findall(r"^```(?:sh|bash|console|shell)\n(.*?)^```", path.read_text(), re.MULTILINE | re.DOTALL)
    lines = "\n".join(blocks).replace("\\\n", " ").splitlines()
    return [line.removeprefix("$ ").strip() for line in lines if line.strip() and not line.lstrip().startswith("#")]


def test_the_repository_names_no_machine_and_no_registry():
    for path, text in texts():
        found = [line for line in text.splitlines() if FOREIGN.search(line)]
        assert path == Path(__file__).relative_to(ROOT) or not found, f"{path}: {found}"


def test_nothing_large_or_generated_by_tools_is_tracked():
    for path in tracked():
        assert path.stat().st_size < 400_000, path
        assert not {"__pycache__", ".venv", "node_modules", "dist"} & set(path.parts), path


def test_text_files_end_with_one_newline_and_hold_no_trailing_blanks():
    for path, text in texts():
        if "tallygate_api" in path.parts or not text:
            continue
        assert text.endswith("\n"), path
        assert not text.endswith("\n\n"), path
        assert not re.search(r"[ \t]$", text, re.MULTILINE), path


def test_scripts_can_be_run():
    for path, text in texts():
        executable = bool((ROOT / path).stat().st_mode & 0o111)
        assert executable == text.startswith("#!"), path


def test_each_make_target_has_one_line_of_help_and_is_phony():
    phony = set(re.search(r"^\.PHONY: (.*)$", MAKEFILE, re.MULTILINE)[1].split())
    assert phony == TARGETS
    assert set(re.findall(r"^([a-z-]+):.* ## \S", MAKEFILE, re.MULTILINE)) == TARGETS
    printed = subprocess.run(
        ["make", "--silent", "--no-print-directory", "help"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert len(printed.splitlines()) == len(TARGETS)
    assert all(len(line) <= 110 for line in printed.splitlines())


def test_ci_and_the_hooks_use_what_exists():
    stages = re.findall(r"^stage \S+ make (\S+)$", (ROOT / ".ci" / "run").read_text(), re.MULTILINE)
    assert {"test", "lint", "types", "imports", "buf", "proto-check", "schema-check"} == set(stages)
    subprocess.run(["bash", "-n", ".ci/run"], cwd=ROOT, check=True)
    [repository] = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    assert repository["repo"] == "local"
    for hook in repository["hooks"]:
        assert hook["language"] == "system"
        assert hook["entry"].startswith(".venv/bin/"), hook["id"]
        assert (Path(sys.executable).parent / Path(hook["entry"].split()[0]).name).exists(), hook["id"]


PAGES = ["README.md", "clients/python/README.md", "deploy/helm/tallygate/README.md", "tests/load/README.md"]
PAGES += [f"docs/{path.name}" for path in sorted((ROOT / "docs").glob("*.md"))]


@pytest.mark.parametrize("readme", PAGES)
def test_a_page_links_to_and_makes_only_what_exists(readme):
    text = (ROOT / readme).read_text()
    for target in re.findall(r"(?:`|^\$? ?)make ([a-z-]+)", text, re.MULTILINE):
        assert target in TARGETS, f"make {target}"
    for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text):
        assert ((ROOT / readme).parent / link).exists(), link


@pytest.mark.parametrize("readme", ["README.md", "clients/python/README.md"])
def test_a_readme_runs_only_what_exists(readme):
    for line in shell_lines(ROOT / readme):
        program = re.sub(r"^(?:[A-Z_]+=\S+ )*(?:\.venv/bin/)?", "", line).split()[0]
        assert program in COMMANDS, line


@pytest.mark.parametrize("readme", ["README.md", "clients/python/README.md"])
def test_every_command_of_a_readme_is_known_to_tallygate(readme, tmp_path):
    lines = " ; ".join(shell_lines(ROOT / readme))
    for command in sorted(set(re.findall(r"\btallygate ([a-z]+)", lines))):
        tallygate(command, "--help", environment={"PATH": ""}, directory=tmp_path)


@pytest.mark.parametrize(
    ("lock", "extras", "groups"),
    [
        ("requirements.lock", ["server"], ["build"]),
        ("requirements-gateways.lock", ["server", "pdf", "stripe", "paypal", "razorpay"], ["build"]),
        ("requirements-dev.lock", ["server", "native", "stripe", "paypal", "razorpay"], ["build", "dev"]),
    ],
)
def test_the_lock_holds_what_the_project_asks_for(lock, extras, groups):
    text = (ROOT / lock).read_text()
    pins = {normal(name): version for name, version in re.findall(r"^([\w.-]+)==(\S+)", text, re.MULTILINE)}
    asked = [*PROJECT["project"]["dependencies"]]
    asked += [line for extra in extras for line in PROJECT["project"]["optional-dependencies"][extra]]
    asked += [line for group in groups for line in PROJECT["dependency-groups"][group] if isinstance(line, str)]
    for requirement in (Requirement(line) for line in asked if not line.startswith("tallygate[")):
        version = pins.get(normal(requirement.name))
        assert version is not None, f"{requirement.name} is not locked; run: make lock"
        assert requirement.specifier.contains(version), f"{requirement}: {version} is locked; run: make lock"
    assert len(re.findall(r"^[\w.-]+==", text, re.MULTILINE)) == len(re.findall(r"\\\n    --hash=.*\n(?!    )", text))


def test_the_locks_agree():
    runtime, gateways, dev = (
        set(re.findall(r"^[\w.-]+==\S+", (ROOT / name).read_text(), re.MULTILINE))
        for name in ("requirements.lock", "requirements-gateways.lock", "requirements-dev.lock")
    )
    assert runtime < gateways < dev


def test_the_images_native_transport_is_what_the_tests_run():
    part = (ROOT / "requirements-native.lock").read_text()
    assert part in (ROOT / "requirements-dev.lock").read_text(), "run: make lock"
    [line] = [line for line in PROJECT["project"]["optional-dependencies"]["native"] if "[" not in line]
    assert part.startswith(f"{line} ")


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    source, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for name in BUILT_FROM:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        copy(ROOT / name, source / name)
    argv = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(source)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    [built] = out.iterdir()
    return built


def test_the_wheel_holds_the_packages_and_nothing_else(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0] for name in names} == {
        "tallygate",
        "tallygate_api",
        f"tallygate-{PROJECT['project']['version']}.dist-info",
    }
    suffixes = {Path(name).suffix for name in names if ".dist-info/" not in name}
    assert suffixes <= {".py", ".pyi", ".lua", ".html", ".json", ".mako", ".typ", ".typed", ".yaml", ".jsonl", ".md"}
    held = set(names)
    for package, base in (("tallygate", ROOT / "src"), ("tallygate_api", ROOT / "clients/python")):
        sources = {path for path in (base / package).rglob("*") if path.is_file() and "__pycache__" not in path.parts}
        assert {str(path.relative_to(base)) for path in sources} == {
            name for name in held if name.startswith(f"{package}/")
        }
    scripts = [name for name in held if name.endswith(".lua")]
    assert scripts
    assert any("/migrations/versions/" in name for name in held)
    assert {"tallygate/py.typed", "tallygate_api/py.typed", "tallygate/settings.schema.json"} <= held


def test_the_stubs_need_grpcio_and_protobuf_alone(wheel, tmp_path):
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    program = """
import importlib, pkgutil, sys
allowed = {"tallygate_api", "grpc", "google", "typing_extensions", "cython_runtime", "_cython_3_2_1"}
import grpc, google.protobuf
before = set(sys.modules)
import tallygate_api
for module in pkgutil.walk_packages(tallygate_api.__path__, "tallygate_api."):
    importlib.import_module(module.name)
foreign = {name.partition(".")[0] for name in set(sys.modules) - before} - set(sys.stdlib_module_names) - allowed
assert not foreign, foreign
assert not [name for name in sys.modules if name == "tallygate" or name.startswith("google.rpc")]
"""
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=True)


def test_migrations_are_one_line():
    found = [
        path.read_text() for path in sorted((ROOT / "src/tallygate/storage/sql/migrations/versions").glob("0*.py"))
    ]
    steps = [tuple(re.findall(r'^(?:down_)?revision = "?(\w+)"?$', text, re.MULTILINE)) for text in found]
    numbers = [f"{number:04d}" for number in range(1, len(found) + 1)]
    assert steps == list(zip(numbers, ["None", *numbers[:-1]], strict=True))
