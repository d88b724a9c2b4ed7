import json
from pathlib import Path

import pytest

from tallygate import settings
from tallygate.settings import SecretUrl, Settings, SettingsError, load

SCHEMA = Path(settings.__file__).parents[1] / "settings.schema.json"


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch):
    for name in list(settings._ENVIRON):
        if name.startswith("TALLYGATE_"):
            monkeypatch.delenv(name)


def write(path, text):
    path.write_text(text)
    return path


def test_defaults_are_those_of_the_documentation():
    loaded = load()
    assert loaded.settings == Settings()
    assert loaded.settings.server.grpc_address == "127.0.0.1:7420"
    assert loaded.settings.server.admin_address == "127.0.0.1:7421"
    assert {entry["origin"] for entry in loaded.effective().values()} == {"default"}
    assert set(loaded.effective()) == set(settings.known_keys())


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("t.yaml", "redis: {url: 'redis://file', partitions: 8, read_timeout: 50ms}\nrole: data\n"),
        ("t.toml", 'role = "data"\n[redis]\nurl = "redis://file"\npartitions = 8\nread_timeout = "50ms"\n'),
    ],
)
def test_each_layer_overrides_the_one_below(tmp_path, monkeypatch, name, text):
    monkeypatch.setenv("TALLYGATE_CONFIG_FILE", str(write(tmp_path / name, text)))
    monkeypatch.setenv("TALLYGATE_REDIS__URL", "redis://env")
    monkeypatch.setenv("TALLYGATE_REDIS__PARTITIONS", "16")
    loaded = load({"redis.partitions": 32, "role": None})
    assert loaded.settings.redis.url.get_secret_value() == "redis://env"
    assert loaded.settings.redis.partitions == 32
    assert loaded.settings.role == "data"
    assert loaded.settings.redis.read_timeout == 0.05
    origins = {key: entry["origin"] for key, entry in loaded.effective().items() if entry["origin"] != "default"}
    assert origins == {"role": "file", "redis.url": "env", "redis.partitions": "flag", "redis.read_timeout": "file"}


def test_an_unknown_key_is_refused_with_the_nearest_name(tmp_path, monkeypatch):
    path = write(tmp_path / "t.yaml", "redis: {urll: x}\n")
    with pytest.raises(SettingsError, match=r"t\.yaml:1: unknown setting: redis\.urll; did you mean redis\.url\?"):
        load(config_file=path)
    with pytest.raises(SettingsError, match=r"redis\.partition; did you mean redis\.partitions\?"):
        load({"redis.partition": 3})
    monkeypatch.setenv("TALLYGATE_REDIS_URL", "redis://x")
    with pytest.raises(SettingsError, match=r"TALLYGATE_REDIS_URL; did you mean TALLYGATE_REDIS__URL\?"):
        load()


@pytest.mark.parametrize(
    "name",
    [
        "TALLYGATE_PORT",
        "TALLYGATE_PORT_7420_TCP",
        "TALLYGATE_PORT_7420_TCP_ADDR",
        "TALLYGATE_SERVICE_HOST",
        "TALLYGATE_SERVICE_PORT_GRPC",
        "TALLYGATE_REDIS_SERVICE_HOST",
        "TALLYGATE_API_KEY",
    ],
)
def test_variables_that_kubernetes_or_the_client_sets_are_let_be(monkeypatch, name):
    monkeypatch.setenv(name, "tcp://10.0.0.1:7420")
    assert load().settings == Settings()


def test_a_wrong_value_is_named_with_its_origin_and_never_shown(monkeypatch):
    monkeypatch.setenv("TALLYGATE_DATA_PLANE__REPLAY_WINDOW", "25h")
    with pytest.raises(SettingsError, match=r"TALLYGATE_DATA_PLANE__REPLAY_WINDOW \(env\): .*86400"):
        load()
    monkeypatch.delenv("TALLYGATE_DATA_PLANE__REPLAY_WINDOW")
    with pytest.raises(SettingsError) as caught:
        load({"redis.url": ["redis://:hunter2@h"], "server.transport": "carrier-pigeon"})
    assert "server.transport (flag)" in str(caught.value)
    assert "hunter2" not in str(caught.value)


WHOLE = "redis.partitions: expected a whole number without leading zeros, at least 1 and at most 4096"
WINDOW = "data_plane.replay_window: expected a duration such as 250ms, 5s or 2h, or seconds, above 0 and at most 86400"
ODD = {
    "- a list": "1: the document: expected a mapping with role, data_dir, ",
    "redis: [": "1: ",
    "role: data\nredis:\n": "2: redis: expected a mapping with url, ",
    "redis: {partitions: 010}": f"1: {WHOLE}, got 010",
    "redis:\n  partitions: 0x10": f"2: {WHOLE}, got 0x10",
    "redis:\n  partitions: 1_000": f"2: {WHOLE}, got 1_000",
    "redis: {partitions: '8'}": f"1: {WHOLE}, got a text",
    "redis: {partitions: 8.0}": f"1: {WHOLE}, got 8.0",
    "redis: {partitions: true}": f"1: {WHOLE}, got true",
    "redis:\n  partitions:\n": f"2: {WHOLE}, got nothing",
    "redis:\n  partitions: 8\n  partitions: 9": "3: the key redis.partitions comes twice, first in line 2",
    "redis:\n  partitions: 8\nredis.partitions: 9": "3: the key redis.partitions comes twice, first in line 2",
    "role: data\nrole: all": "2: the key role comes twice, first in line 1",
    "redis:\n\turl: x": "2: while scanning for the next token, found character '\\t' that cannot start any token",
    "redis: &r {partitions: 8}": "1: anchors and aliases are refused",
    "redis:\n  <<: {partitions: 8}": "2: expected the name of a setting, got <<",
    "role: !!str data": "1: tags are refused",
    "role: data\n---\nrole: all": "2: expected a single document in the stream, but found another document",
    "testing: yes": "1: testing: expected true or false, got yes",
    "testing: 'true'": "1: testing: expected true or false, got a text",
    "data_dir: 2024": "1: data_dir: expected a text, got 2024; put it in quotes",
    "data_dir: ~": "1: data_dir: expected a text, got ~; put it in quotes",
    "redis: {read_timeout: 1:30}": "1: redis.read_timeout: expected a duration such as 250ms, 5s or 2h",
    "redis: redis://:hunter2@h": "1: redis: expected a mapping with url, ",
    "redis: {url: [redis://:hunter2@h]}": "1: redis.url: expected a text, got a list",
    "rol: data": "1: unknown setting: rol; did you mean role?",
    "\n\ndata_plane: {replay_window: 25h}": f"3: {WINDOW}",
    "redis: {read_timeout: .inf}": "1: redis.read_timeout: expected a duration such as 250ms",
    "[" * 10_000: "1: nested too deeply",
}


@pytest.mark.parametrize("text", ODD, ids=range(len(ODD)))
def test_a_yaml_file_is_read_as_it_is_written_or_refused_with_its_line(tmp_path, text):
    path = write(tmp_path / "t.yaml", text)
    with pytest.raises(SettingsError) as caught:
        load(config_file=path)
    assert str(caught.value).startswith(f"{path}:{ODD[text]}")
    assert "\n" not in str(caught.value)
    assert "hunter2" not in str(caught.value)


ODD_TOML = {
    "role = 'data'\nrole = 'all'": "2: Cannot overwrite a value",
    "role = data": "1: Invalid value",
    "[redis]\n\npartitions = '8'": f"3: {WHOLE}, got a text",
    "[redis]\nread_timeout = 1979-05-27": "2: redis.read_timeout: expected a duration such as 250ms",
    "redis.partitions = 8.5": f"1: {WHOLE}, got 8.5",
    "role = 'data'\n[redis]\nurll = 'x'": "3: unknown setting: redis.urll; did you mean redis.url?",
    "\n[data_plane]\nreplay_window = '25h'": f"3: {WINDOW}",
    "redis = 'redis://:hunter2@h'": "1: unknown setting: redis",
}


@pytest.mark.parametrize("text", ODD_TOML, ids=range(len(ODD_TOML)))
def test_a_toml_file_is_refused_with_its_line(tmp_path, text):
    path = write(tmp_path / "t.toml", text)
    with pytest.raises(SettingsError) as caught:
        load(config_file=path)
    assert str(caught.value).startswith(f"{path}:{ODD_TOML[text]}")
    assert "hunter2" not in str(caught.value)


def test_every_problem_of_a_file_is_told_at_once(tmp_path):
    path = write(tmp_path / "t.yaml", "rol: data\nredis: {partitions: 010}\ntesting: yes\n")
    with pytest.raises(SettingsError) as caught:
        load(config_file=path)
    assert [line.split(":")[1] for line in str(caught.value).splitlines()] == ["1", "2", "3"]


@pytest.mark.parametrize("raw", [b"\xef\xbb\xbfrole: data", b"\xff\xfer\0", b"role: data\n\xff", b"role: d\0ta", None])
@pytest.mark.parametrize("name", ["t.yaml", "t.toml"])
def test_what_is_no_text_is_said_with_its_cure(tmp_path, raw, name):
    if raw is not None:
        (tmp_path / name).write_bytes(raw)
    with pytest.raises(SettingsError) as caught:
        load(config_file=tmp_path / name)
    assert str(caught.value).startswith(f"cannot read the settings file {tmp_path / name}: ")
    assert "\n" not in str(caught.value)


def test_every_default_can_be_written_into_a_file(tmp_path):
    """What the file may be by its form is what the setting may be: no field is forgotten."""
    tree = {}
    for key, entry in load().effective().items():
        group, _, leaf = key.rpartition(".")
        if entry["value"] is not None:
            (tree.setdefault(group, {}) if group else tree)[leaf] = entry["value"]
    path = write(tmp_path / "t.yaml", json.dumps(tree))
    assert load(config_file=path).settings == Settings()


def test_empty_is_unset(monkeypatch, tmp_path):
    for key in settings.known_keys():
        monkeypatch.setenv(settings.environment_name(key), "")
    monkeypatch.setenv("TALLYGATE_NO_SUCH_SETTING", "")
    monkeypatch.setenv("TALLYGATE_CONFIG_FILE", "")
    loaded = load()
    assert loaded.settings == Settings()
    assert not loaded.origins
    path = write(tmp_path / "t.yaml", "role: data\n")
    assert load(config_file=path).settings.role == "data"


@pytest.mark.parametrize("value", ["9" * 400, "1e400", "inf", "nan", "-1", "99999999999999999999", "٣٣"])
def test_no_number_is_beyond_what_can_be_used(value):
    for key in settings.known_keys():
        if isinstance(load().effective()[key]["value"], int | float) and key != "testing":
            try:
                found = load({key: value}).effective()[key]["value"]
            except SettingsError as error:
                assert str(error).startswith(f"{key} (flag): ")  # noqa: PT017 - or it is a number that can be used
            else:
                assert 0 <= found <= 2**31 - 1


def test_durations_and_sizes_take_units():
    loaded = load({"data_plane.max_staleness": "250ms", "server.max_message_bytes": "1MiB", "server.drain_seconds": 3})
    assert loaded.settings.data_plane.max_staleness == 0.25
    assert loaded.settings.server.max_message_bytes == 1024 * 1024
    assert loaded.settings.server.drain_seconds == 3


@pytest.mark.parametrize(
    ("url", "good"),
    [
        ("https://api.stripe.com", True),
        ("https://proxy.example:8443/stripe/", True),
        ("http://127.0.0.1:12111", True),
        ("http://localhost:12111/v1", True),
        ("http://api.stripe.com", False),
        ("http://127.0.0.1.evil.example", False),
        ("https://user:secret@api.stripe.com", False),
        ("https://", False),
        ("ftp://api.stripe.com", False),
    ],
)
def test_gateways_are_asked_over_tls_or_on_this_machine(monkeypatch, url, good):
    monkeypatch.setenv("TALLYGATE_BILLING__STRIPE_URL", url)
    if good:
        assert load().settings.billing.stripe_url == url
    else:
        with pytest.raises(SettingsError, match="https://") as refused:
            load()
        assert "secret" not in str(refused.value)


def test_passwords_never_show():
    url = "postgresql://me:s3cr%40t@db/x"
    loaded = load({"database.url": url, "redis.url": "redis://:pw@h:1"})
    shown = [repr(loaded), str(loaded.settings), json.dumps(loaded.effective()), loaded.settings.model_dump_json()]
    for text in shown:
        assert "s3cr" not in text
        assert "pw@" not in text
    assert loaded.effective()["database.url"]["value"] == "postgresql://me:***@db/x"
    assert loaded.settings.database.url.get_secret_value() == url
    assert not SecretUrl("")


SHOWN = {
    "redis://:canary@h/0": "redis://:***@h/0",
    "redis://u:canary@h": "redis://u:***@h",
    "redis://canary@h": "redis://***@h",
    "redis://h?password=canary&db=2": "redis://h?password=***&db=2",
    "valkey://h:1?canary": "valkey://h:1?***",
    "unix://:canary@/run/a.sock?db=2": "unix://:***@/run/a.sock?db=2",
    "postgresql://me@db/x": "postgresql://me@db/x",
    "postgresql://me:can%40ary@h1:1,h2:2/x?sslmode=require": "postgresql://me:***@h1:1,h2:2/x?sslmode=require",
    "postgresql://h/x?sslpassword=canary&passfile=canary": "postgresql://h/x?sslpassword=***&passfile=***",
    "postgresql://u:can@ary@h": "postgresql://***",
    "postgresql://u:can/ary@h": "postgresql://***",
    "postgresql://u:can#ary@h": "postgresql://***",
    "postgresql://u:can?ary@h": "postgresql://***",
    "postgresql://u:canary": "postgresql://***",
    "postgresql://u:canary@[::1": "postgresql://***",
    "postgresql://u:canary @h": "postgresql://u:***@h",
    "postgresql:/u:canary@h": "***",
    "canary": "***",
    "": "",
}


@pytest.mark.parametrize("url", SHOWN)
def test_a_url_shows_nothing_that_may_be_a_secret(url):
    assert str(SecretUrl(url)) == SHOWN[url]


def test_every_setting_is_described_and_the_committed_schema_is_current():
    assert json.loads(SCHEMA.read_text()) == settings.schema()
    groups = [Settings, *(field.annotation for field in Settings.model_fields.values())]
    for group in groups:
        for name, field in getattr(group, "model_fields", {}).items():
            assert field.description or hasattr(field.annotation, "model_fields"), f"{group.__name__}.{name}"


def test_settings_are_frozen():
    with pytest.raises(ValueError, match="frozen"):
        Settings().role = "data"


def test_the_client_environment_is_read_here_too(monkeypatch):
    monkeypatch.setenv("TALLYGATE_ADDRESS", "h:1")
    assert settings.client_environment().address == "h:1"
