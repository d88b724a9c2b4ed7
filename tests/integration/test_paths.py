"""A path is opened as it was told, whatever it is made of, or refused in one line."""

import asyncio
import socket
from pathlib import Path

import grpc
import pytest

from child_processes import temporary_directory
from command_line import one_clear_line, tallygate
from conftest import testing_settings
from tallygate.app import Application
from tallygate.cli.main import run
from tallygate.domain.credential import mint_key
from tallygate.settings import ServerSettings, load
from tenants import Tenant

KEY = mint_key(b"paths".ljust(32))
ODD = [
    "feature%2Ffoo",
    "a#b",
    "a?mode=memory",
    "two words",
    "Zürich 日本",
    "100%",
    "file:x",
    "a&b=c;d",
    "-rf",
    "long" * 40,
]


def settings_in(directory: Path, **server):
    settings = testing_settings(directory)
    return settings.model_copy(
        update={
            "data_dir": directory / "data",
            "server": ServerSettings.model_validate({**settings.server.model_dump(), **server}),
        }
    )


@pytest.fixture
def place():
    return temporary_directory("tg-p-")


@pytest.mark.parametrize("name", ODD)
async def test_a_data_directory_is_the_one_that_was_named(place, name):
    home = place / name
    home.mkdir()
    async with Application(settings_in(home)) as application, grpc.aio.insecure_channel(application.grpc_address) as c:
        await Tenant(c, KEY).call("GetCatalog")
    assert (home / "data" / "tallygate.db").is_file()
    assert [entry.name for entry in place.iterdir()] == [name]


@pytest.mark.parametrize("transport", ["grpcio", "native"])
@pytest.mark.parametrize("name", ["a%2Fb", "a#b", "a?b", "two words", "Zürich", "a:b@c"])
async def test_a_socket_is_the_one_that_was_named_and_the_command_line_finds_it(place, transport, name):
    path = place / name
    async with Application(settings_in(place, grpc_address=f"unix:{path}", transport=transport)) as application:
        assert path.is_socket()
        assert application.grpc_address == f"unix:{path}"
        done = await _said("account", "list", "--server", f"unix:{path}", "--key", KEY, directory=place)
        assert done.stdout == "no accounts\n"
    assert not {entry.name for entry in place.iterdir()} - {"data", name}


async def _said(*words, directory):
    return await asyncio.to_thread(tallygate, *words, environment={}, directory=directory)


def refused(place, code, *words):
    return one_clear_line(tallygate(*words, environment={}, directory=place, code=code))


@pytest.mark.parametrize("words", [("serve",), ("migrate",), ("tenant", "create", "t")])
def test_a_file_in_place_of_the_directory_is_said(place, words):
    (place / "file").touch()
    said = refused(place, 2 if words != ("serve",) else 3, *words, "--data-dir", "file")
    assert str(place / "file") in said
    assert "data directory" in said


def test_a_directory_that_takes_no_file_is_said(place):
    said = refused(place, 2, "migrate", "--data-dir", "/proc/1/nothing")  # no matter of rights: root has all
    assert said.startswith("data_dir (TALLYGATE_DATA_DIR): cannot use /proc/1/nothing as data directory: ")


def test_a_database_that_is_none_is_said_with_its_path(place):
    (place / "tallygate.db").write_text("not a database, but long enough to be looked at as one\n" * 100)
    said = refused(place, 3, "migrate", "--data-dir", str(place))
    assert said == (
        f"the database at {place}/tallygate.db cannot be used (the file is no database); "
        "check database.url (TALLYGATE_DATABASE__URL) and data_dir (TALLYGATE_DATA_DIR)"
    )


def test_a_socket_s_place_that_is_taken_by_a_file_is_left_alone(place):
    (place / "notes").write_text("mine")
    said = refused(place, 3, "serve", "--listen", f"unix:{place}/notes", "--data-dir", str(place / "d"))
    assert said == f"cannot listen on unix:{place}/notes: something is there that is no socket; choose another path"
    assert (place / "notes").read_text() == "mine"


@pytest.mark.parametrize("text", ["unix:", "unix:/", "unix:/a,b", "unix:/a\nb", "unix:/" + "x" * 120, "host", ":7420",
                                  "h:99999", "h:-1", "h:٣", "http://h:1", "[::1", "a b:1", "unix:/dir/"])  # fmt: skip
@pytest.mark.parametrize("flag", ["--listen", "--admin"])
def test_an_address_that_is_none_is_said_with_its_setting(place, text, flag, capsys):
    assert run(["serve", flag, text, "--data-dir", str(place / "d")]) == 2
    said = capsys.readouterr().err.removeprefix("error: ")
    key = {"--listen": "server.grpc_address", "--admin": "server.admin_address"}[flag]
    assert said.startswith(f"{key} (TALLYGATE_SERVER__")
    assert not (place / "d").exists()


def test_a_tilde_is_the_home_directory(place, monkeypatch):
    monkeypatch.setenv("HOME", str(place))
    assert load({"data_dir": "~/tg"}).settings.data_dir == place / "tg"
    assert load({"data_dir": "./~"}).settings.data_dir == Path("~")


def test_files_of_odd_names_are_read(place):
    home = place / "a?b#c%2F d"
    home.mkdir()
    (home / "settings.yaml").write_text("role: data\n")
    (home / "key").write_text("tg_none")
    done = tallygate("settings", "show", "--config", str(home / "settings.yaml"), environment={}, directory=place)
    assert "role = data  (file)" in done.stdout
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        tallygate("account", "list", "--server", address, "--key-file", str(home / "key"), environment={},
                  directory=home, code=3)  # fmt: skip
