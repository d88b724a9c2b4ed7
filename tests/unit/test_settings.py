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
    with pytest.raises(SettingsError, match=r"unknown setting in the file: redis\.urll; did you mean redis\.url\?"):
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


@pytest.mark.parametrize("text", ["- a list", "redis: [", "\x00"])
def test_an_unreadable_file_is_one_line(tmp_path, text):
    with pytest.raises(SettingsError) as caught:
        load(config_file=write(tmp_path / "t.yaml", text))
    assert "\n" not in str(caught.value)
    with pytest.raises(SettingsError, match="cannot read"):
        load(config_file=tmp_path / "absent.yaml")


def test_durations_and_sizes_take_units():
    loaded = load({"data_plane.max_staleness": "250ms", "server.max_message_bytes": "1MiB", "server.drain_seconds": 3})
    assert loaded.settings.data_plane.max_staleness == 0.25
    assert loaded.settings.server.max_message_bytes == 1024 * 1024
    assert loaded.settings.server.drain_seconds == 3


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
