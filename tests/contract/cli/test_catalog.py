from pathlib import Path

import grpc
import pytest

from contract.cli.fake_server import Refuse
from tallygate.cli.catalog_reader import read_document
from tallygate_api.v1 import catalog_service_pb2 as wire

EXAMPLE = Path(__file__).parents[3] / "examples" / "catalog.yaml"


@pytest.fixture
def file(home):
    path = home / "catalog.yaml"
    path.write_text(EXAMPLE.read_text())
    return path


def change(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def line_of(path, text):
    return next(n for n, line in enumerate(path.read_text().splitlines(), 1) if text in line)


def test_validate_by_itself_needs_no_server(file, say):
    said = say("catalog", "validate", file)
    assert (said.code, said.err) == (0, "")
    assert said.out == "valid by itself: 5 features, 2 rate limits, 3 plans, 2 add ons\n"
    assert say("catalog", "validate", file, "-o", "json").json()["currency"] == "USD"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("default_plan: free", "default_plan: fre", "default_plan"),
        ("upgrades_to: [enterprise]", "upgrades_to: [enterprize]", "plans.pro.upgrades_to"),
        ("sso: {enabled: true}\n", "sos: {enabled: true}\n", "plans.enterprise.entitlements.sos"),
        ('"49.00"', '"49,00"', "plans.pro.prices[0]"),
        ("retention_days: {number: 7}", "retention_days: {enabled: true}", "plans.free.entitlements.retention_days"),
    ],
)
def test_validate_names_line_and_path_of_what_does_not_fit(file, say, old, new, message):
    change(file, old, new)
    said = say("catalog", "validate", file)
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith(f"error: {file}:{line_of(file, new.strip())}: ")
    assert message in said.err


def test_validate_with_a_server_asks_it_and_publishes_nothing(file, server, say):
    said = say("catalog", "validate", file, "--server", server.address)
    assert said.code == 0
    assert said.out.startswith(f"valid on {server.address}: 5 features")
    (request,) = server.asked("ApplyCatalog")
    assert request.validate_only


def test_diff_and_apply_show_what_changes(file, server, say):
    server.answers["ApplyCatalog"] = wire.ApplyCatalogResponse(
        changes=[
            wire.Change(path="features.a", action=wire.CHANGE_ACTION_ADDED),
            wire.Change(path="plans.pro", action=wire.CHANGE_ACTION_CHANGED, detail="version 1 -> 2"),
            wire.Change(path="plans.old", action=wire.CHANGE_ACTION_ARCHIVED),
        ],
        subscriptions_behind={"pro": 1200},
    )
    said = say("catalog", "diff", file, "--prune")
    assert said.code == 0
    assert said.out.splitlines()[:3] == ["+ features.a", "~ plans.pro: version 1 -> 2", "- plans.old"]
    assert "1,200 subscriptions stay on an older version of pro" in said.out
    said = say("catalog", "apply", file, "--migrate", "period_end")
    diff, apply = server.asked("ApplyCatalog")
    assert (diff.validate_only, diff.prune, diff.migrate) == (True, True, wire.MIGRATE_NONE)
    assert (apply.validate_only, apply.prune, apply.migrate) == (False, False, wire.MIGRATE_PERIOD_END)
    assert apply.catalog == read_document(EXAMPLE).catalog


def test_a_refusal_names_the_line(file, server, say):
    server.answers["ApplyCatalog"] = Refuse(
        grpc.StatusCode.FAILED_PRECONDITION, "A published version never changes.", "VERSION_CONFLICT", path="plans.pro"
    )
    said = say("catalog", "apply", file)
    assert said.code == 2
    assert said.err == f"error: {file}:{line_of(file, '  pro:')}: A published version never changes.\n"
    assert say("catalog", "apply", file, "-o", "json").error()["details"][0]["reason"] == "VERSION_CONFLICT"


def test_apply_of_an_export_sends_the_same_catalogue(home, server, say):
    catalog = read_document(EXAMPLE).catalog
    server.answers["GetCatalog"] = wire.GetCatalogResponse(catalog=catalog)
    exported = home / "export.yaml"
    exported.write_text(say("catalog", "export").out)
    assert say("catalog", "apply", exported).out == "nothing changes\n"
    assert server.asked("ApplyCatalog")[0].catalog == catalog
    assert say("catalog", "export", "-o", "json").json()["catalog"]["default_plan"] == "free"


def test_a_file_that_is_not_there_is_one_line(say):
    said = say("catalog", "validate", "nowhere.yaml")
    assert said.code == 2
    assert said.err.count("\n") == 1
