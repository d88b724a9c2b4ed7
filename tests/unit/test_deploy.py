import json
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from charts import render
from tallygate import settings
from tallygate.settings import Settings

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
CHART = DEPLOY / "helm" / "tallygate"
BIN = Path(sys.executable).parent
GRPC_PORT = int(Settings().server.grpc_address.rpartition(":")[2])
ADMIN_PORT = int(Settings().server.admin_address.rpartition(":")[2])
NAMES = {settings.environment_name(key): key for key in settings.known_keys()}
OTHER_NAMES = {settings.CONFIG_FILE_VARIABLE, *settings.CLIENT_VARIABLES}
STOP_MARGIN = 5
"""Seconds for closing pools, the embedded stores and the process, after the drain."""


def run(tool: str, *args: object) -> None:
    argv = [str(BIN / tool), *(str(arg) for arg in args)]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def documents(path: Path) -> list[dict[str, Any]]:
    return [document for document in yaml.safe_load_all(path.read_text()) if document]


@cache
def chart_values() -> dict[str, Any]:
    return yaml.safe_load((CHART / "values.yaml").read_text())


def chart_value(path: str) -> Any:
    value: Any = chart_values()
    for part in path.split("."):
        value = value[part]
    return value


def manifests() -> Iterator[tuple[str, dict[str, Any]]]:
    for path in sorted((DEPLOY / "kubernetes").rglob("*.yaml")):
        for document in documents(path):
            yield from ((f"{path.parent.name}/{path.name}", found) for found in with_patches(document))
    for made, kind in ((render.GOLDENS, "chart"), (render.KUSTOMIZED, "kustomized")):
        for path in sorted(made.glob("*.yaml")):
            found = documents(path)
            yield from ((f"{kind}/{path.stem}/{document['metadata']['name']}", document) for document in found)


def with_patches(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield document
    yield from (yaml.safe_load(patch["patch"]) for patch in document.get("patches", ()))


def pods() -> list[Any]:
    specs = (
        (name, document["spec"]["template"]["spec"])
        for name, document in manifests()
        if "template" in document.get("spec", {})
    )
    return [pytest.param(spec, id=name) for name, spec in specs]


def containers(pod: dict[str, Any]) -> list[dict[str, Any]]:
    return [*pod.get("initContainers", ()), *pod.get("containers", ())]


def environment(container: dict[str, Any]) -> dict[str, str]:
    return {entry["name"]: entry.get("value", "") for entry in container.get("env", ())}


def setting(values: dict[str, str], key: str) -> Any:
    """What the server makes of these variables."""
    tree: dict[str, Any] = {}
    group, _, leaf = key.rpartition(".")
    if (name := settings.environment_name(key)) in values:
        tree = {group: {leaf: values[name]}}
    return getattr(getattr(Settings.model_validate(tree), group), leaf)


def assert_known(names: set[str], where: str) -> None:
    unknown = {name for name in names if name.startswith(settings.ENV_PREFIX)} - NAMES.keys() - OTHER_NAMES
    assert not unknown, f"{where}: no such settings: {unknown}"


def test_the_dockerfile_is_clean_and_copies_what_exists():
    run("hadolint", DEPLOY / "Dockerfile")
    text = (DEPLOY / "Dockerfile").read_text()
    ignored = (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines()
    for sources in re.findall(r"^COPY (?!--from)(.+) \S+$", text, re.MULTILINE):
        for source in sources.split():
            assert (ROOT / source).exists(), source
            assert f"!{source}" in ignored, f"{source} is not sent to the build"
    assert_known(set(re.findall(r"TALLYGATE_\w+(?==)", text)), "Dockerfile")
    assert re.findall(r"^EXPOSE (.*)$", text, re.MULTILINE) == [f"{GRPC_PORT} {ADMIN_PORT}"]
    assert f"http://127.0.0.1:{ADMIN_PORT}/ready" in text
    assert text.rindex("USER 65532:65532") < text.index("ENTRYPOINT")


def test_every_yaml_file_is_clean():
    run(
        "yamllint", "--strict", "deploy", "examples", "tests/invoices", ".github", "buf.yaml", ".pre-commit-config.yaml"
    )


def test_compose_is_valid_and_keeps_what_it_counts():
    run("check-jsonschema", "--builtin-schema", "vendor.compose-spec", DEPLOY / "compose.yaml")
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
    assert {"noeviction", "--appendonly"} < set(services["valkey"]["command"])
    for name, service in services.items():
        assert service.get("user") not in {None, "root", "0"}, f"{name} runs as root"
        assert_known(set(service.get("environment", ())), f"compose: {name}")
    for stateful in ("valkey", "postgres"):
        assert services[stateful]["healthcheck"]["test"]
        assert services[stateful]["volumes"]
    published = [port.rsplit(":", 1) for port in services["tallygate"]["ports"]]
    assert published == [[f"127.0.0.1:{port}", str(port)] for port in (GRPC_PORT, ADMIN_PORT)]


def test_compose_shows_what_it_measures():
    """Prometheus finds the server and the rules, Grafana finds Prometheus and the dashboard."""
    run("check-jsonschema", "--builtin-schema", "vendor.compose-spec", DEPLOY / "compose.observed.yaml")
    composed = yaml.safe_load((DEPLOY / "compose.observed.yaml").read_text())
    services, beside = composed["services"], yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
    mounted = {}
    for name, service in services.items():
        assert service["user"].split(":")[0] not in {"root", "0"}, f"{name} runs as root"
        assert all(port.startswith("127.0.0.1:") for port in service["ports"])
        assert set(service["depends_on"]) <= services.keys() | beside.keys()
        for source, target in (volume.split(":")[:2] for volume in service["volumes"]):
            if source.startswith("./"):
                mounted[target] = DEPLOY / source
                assert mounted[target].exists(), source
            else:
                assert source in composed["volumes"]
    prometheus = yaml.safe_load((mounted["/etc/prometheus"] / "prometheus.yaml").read_text())
    assert "--config.file=/etc/prometheus/prometheus.yaml" in services["prometheus"]["command"]
    assert all((mounted["/etc/prometheus"] / name).exists() for name in prometheus["rule_files"])
    (scraped,) = prometheus["scrape_configs"]
    assert scraped["static_configs"] == [{"targets": [f"tallygate:{ADMIN_PORT}"]}]
    provisioned = mounted["/etc/grafana/provisioning"]
    (source,) = yaml.safe_load((provisioned / "datasources" / "prometheus.yaml").read_text())["datasources"]
    assert (source["type"], source["url"]) == ("prometheus", "http://prometheus:9090")
    (provider,) = yaml.safe_load((provisioned / "dashboards" / "tallygate.yaml").read_text())["providers"]
    (shown,) = [Path(target) for target in mounted if target.endswith(".json")]
    assert Path(provider["options"]["path"]) == shown.parent
    assert services["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"] == str(shown)


@pytest.mark.parametrize("pod", pods())
def test_a_container_holds_no_more_rights_than_it_needs(pod):
    for container in containers(pod):
        security = pod.get("securityContext", {}) | container["securityContext"]
        assert security["runAsNonRoot"] is True
        assert security["runAsUser"] > 0
        assert security["allowPrivilegeEscalation"] is False
        assert security["readOnlyRootFilesystem"] is True
        assert security["capabilities"] == {"drop": ["ALL"]}
        assert security["seccompProfile"] == {"type": "RuntimeDefault"}
        assert {"requests", "limits"} <= container["resources"].keys()


@pytest.mark.parametrize("pod", pods())
def test_a_server_is_probed_where_it_answers_and_given_time_to_stop(pod):
    for container in containers(pod):
        values = environment(container)
        assert_known(set(values), container["name"])
        if container.get("args") != ["serve"]:
            continue
        ports = {port["name"]: port["containerPort"] for port in container["ports"]}
        hooks = values.get("TALLYGATE_SERVER__HTTP_ADDRESS", "").rpartition(":")[2]
        assert set(ports.values()) <= {GRPC_PORT, ADMIN_PORT} | ({int(hooks)} if hooks else set())
        assert values["TALLYGATE_SERVER__ADMIN_ADDRESS"] == f"0.0.0.0:{ADMIN_PORT}", "the kubelet cannot reach it"
        for probe, path in (("startupProbe", None), ("livenessProbe", "/live"), ("readinessProbe", "/ready")):
            asked = container[probe]["httpGet"]
            assert asked["path"] == (path or asked["path"])
            assert ports[asked["port"]] == ADMIN_PORT
        drain = setting(values, "server.drain_delay_seconds") + setting(values, "server.drain_seconds")
        assert pod.get("terminationGracePeriodSeconds", 30) >= drain + STOP_MARGIN
        assert values["TALLYGATE_ROLE"] in {"data", "control", "worker"}


@pytest.mark.parametrize("pod", pods())
def test_a_mount_has_its_volume(pod):
    volumes = {volume["name"] for volume in pod.get("volumes", ())}
    for container in containers(pod):
        assert {mount["name"] for mount in container.get("volumeMounts", ())} <= volumes


def test_the_sidecar_starts_before_the_application_and_stays_on_loopback():
    component = yaml.safe_load((DEPLOY / "kubernetes" / "sidecar" / "kustomization.yaml").read_text())
    _, patch = with_patches(component)
    [sidecar] = patch["spec"]["template"]["spec"]["initContainers"]
    assert sidecar["restartPolicy"] == "Always"
    assert sidecar["startupProbe"]["httpGet"]["path"] == "/ready"
    assert environment(sidecar)["TALLYGATE_SERVER__GRPC_ADDRESS"] == f"127.0.0.1:{GRPC_PORT}"


def test_every_kustomization_names_files_that_exist():
    for path in (DEPLOY / "kubernetes").rglob("kustomization.yaml"):
        document = yaml.safe_load(path.read_text())
        for name in (*document.get("resources", ()), *document.get("components", ())):
            assert (path.parent / name).exists(), f"{path}: {name}"
    resources = set(yaml.safe_load((DEPLOY / "kubernetes/base/kustomization.yaml").read_text())["resources"])
    assert resources == {path.name for path in (DEPLOY / "kubernetes/base").iterdir()} - {"kustomization.yaml"}


def test_the_manifests_hold_each_kind_that_production_needs():
    kinds = {(name.partition("/")[0], document["kind"]) for name, document in manifests()}
    for kind in ("Deployment", "Job", "Service", "NetworkPolicy", "PodDisruptionBudget"):
        assert {("base", kind), ("chart", kind)} <= kinds


def test_the_charts_values_are_valid_and_all_that_is_used_exists():
    run("check-jsonschema", "--schemafile", CHART / "values.schema.json", CHART / "values.yaml")
    run("check-jsonschema", "--check-metaschema", CHART / "values.schema.json")
    used = {
        path for file in (CHART / "templates").iterdir() for path in re.findall(r"\.Values\.([\w.]+)", file.read_text())
    }
    for path in used:
        chart_value(path)
    unused = {key for key in chart_values() if not any(path.split(".")[0] == key for path in used)}
    assert not unused, f"values that no template reads: {unused}"


def test_the_charts_renderings_are_those_of_the_chart():
    """The real helm made them: `make charts` does it again."""
    assert render.DIGEST.read_text().strip() == render.digest(), "the chart has changed: make charts"
    assert {path.stem for path in render.GOLDENS.glob("*.yaml")} == {path.stem for path in render.VALUES.glob("*.yaml")}


CHART_SETS = json.loads((CHART / "values.schema.json").read_text())["definitions"]["charts"]["enum"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"replicas": 3},
        {"settings": {"LOG_LEVEL": "debug"}},
        {"control": {"replicas": 0}},
        *({"settings": {name: "x"}} for name in CHART_SETS),
        *({"worker": {"extraEnv": [{"name": name, "value": "x"}]}} for name in CHART_SETS),
    ],
    ids=str,
)
def test_the_charts_values_refuse_what_is_unknown_or_the_charts_own(wrong):
    validator = jsonschema.Draft7Validator(json.loads((CHART / "values.schema.json").read_text()))
    kept = chart_values()
    merged = {key: kept[key] | value if isinstance(value, dict) else value for key, value in wrong.items()}
    validator.validate(kept)
    assert not validator.is_valid(kept | merged)


def test_what_the_chart_sets_is_what_its_values_may_not():
    given = {name for path in render.VALUES.glob("*.yaml") for name in re.findall(r"TALLYGATE_\w+", path.read_text())}
    rendered = {
        name
        for where, document in manifests()
        if where.startswith("chart/") and "template" in document.get("spec", {})
        for container in containers(document["spec"]["template"]["spec"])
        for name in environment(container)
        if name.startswith(settings.ENV_PREFIX)
    }
    assert rendered - given == set(CHART_SETS) - given


def test_a_number_of_a_million_reaches_a_container_as_its_digits():
    pods = [
        document["spec"]["template"]["spec"]
        for document in documents(render.GOLDENS / "large_numbers.yaml")
        if "template" in document.get("spec", {})
    ]
    assert len(pods) == 3
    for pod in pods:
        [container] = pod["containers"]
        values = environment(container)
        assert setting(values, "data_plane.stream_max") == 1_000_000
        assert values["TALLYGATE_DATA_PLANE__CACHED_ACCOUNTS"] == "12345678"
        assert values["TALLYGATE_REDIS__READ_TIMEOUT"] == "0.25"
        assert values["TALLYGATE_SERVER__REFLECTION"] == "false"


def test_the_charts_settings_pattern_takes_every_setting():
    schema = json.loads((CHART / "values.schema.json").read_text())
    pattern = re.compile(schema["definitions"]["settings"]["propertyNames"]["pattern"])
    assert all(pattern.fullmatch(name) for name in NAMES)


def test_the_versions_are_those_of_the_package():
    project = (ROOT / "pyproject.toml").read_text()
    version = re.search(r'^version = "(.+)"$', project, re.MULTILINE)
    assert version is not None
    for path in DEPLOY.rglob("*.yaml"):
        for found in re.findall(
            r"(?:newTag|image: tallygate|\btag|^appVersion)[:] ?([0-9][\w.]*)", path.read_text(), re.MULTILINE
        ):
            assert found == version[1], path


def test_envoy_itself_accepts_the_example():
    run("envoy", "--mode", "validate", "--config-path", DEPLOY / "envoy" / "envoy.yaml")
    assert f"port_value: {GRPC_PORT}" in (DEPLOY / "envoy" / "envoy.yaml").read_text()


def test_the_unit_runs_the_installed_command_with_known_settings():
    text = (DEPLOY / "systemd" / "tallygate.service").read_text()
    assert_known(set(re.findall(r"^Environment=(\w+)=", text, re.MULTILINE)), "systemd")
    timeout = re.search(r"^TimeoutStopSec=(\d+)$", text, re.MULTILINE)
    assert timeout is not None
    drain = Settings().server.drain_delay_seconds + Settings().server.drain_seconds
    assert int(timeout[1]) >= drain + STOP_MARGIN


@pytest.mark.parametrize("name", ["grafana/dashboard.json", "prometheus/alerts.yaml"])
def test_every_metric_that_is_watched_is_measured(name):
    text = (DEPLOY / name).read_text()
    used = set(re.findall(r"\btallygate_\w+", text))
    measured = {series for path in (ROOT / "src/tallygate").rglob("*.py") for series in series_of(path.read_text())}
    assert used
    assert not used - measured, f"nobody measures {sorted(used - measured)}"


def series_of(source: str) -> Iterator[str]:
    """Every series of the metrics that a module names; what counts and what gauges is told apart at run time."""
    for name in re.findall(r'"(tallygate_[a-z_]+)"[,:]', source):
        yield from (name, f"{name}_total", f"{name}_bucket", f"{name}_count", f"{name}_sum")


def test_the_dashboard_is_complete():
    dashboard = json.loads((DEPLOY / "grafana" / "dashboard.json").read_text())
    identifiers = [panel["id"] for panel in dashboard["panels"]]
    assert len(identifiers) == len(set(identifiers))
    for panel in dashboard["panels"]:
        assert panel["title"]
        assert panel["type"] == "row" or (panel["description"] and panel["targets"])


def test_every_alert_says_what_to_do():
    groups = yaml.safe_load((DEPLOY / "prometheus" / "alerts.yaml").read_text())["groups"]
    for rule in (rule for group in groups for rule in group["rules"] if "record" not in rule):
        assert rule["labels"]["severity"] in {"critical", "warning"}
        assert {"summary", "description"} == rule["annotations"].keys()
