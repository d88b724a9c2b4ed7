"""A database that cannot hold every text is refused by `migrate`, `serve` and `doctor`: it would lose money."""

import asyncio
import json
import sqlite3
from contextlib import closing

import pytest
from sqlalchemy import make_url, text

from command_line import one_clear_line, tallygate
from tallygate.domain.errors import InvalidFieldError
from tallygate.storage.sql.address import DatabaseUrlError
from tallygate.storage.sql.engine import create_engine, create_migration_engine
from tallygate.storage.sql.schema import migrate, schema_version

NAMES = "Zoë 名前 👩‍👩‍👧"


@pytest.fixture(params=["SQL_ASCII", "LATIN1", "UTF-16le", "UTF-16be"])
def unfit(request, tmp_path):
    """A database that holds text in this encoding: its URL, and the encoding."""
    if not request.param.startswith("UTF-16"):
        server = request.getfixturevalue("postgres")
        return server.create_database(f"ENCODING '{request.param}' TEMPLATE template0"), request.param
    path = tmp_path / "wide.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA encoding = '{request.param}'")
        connection.execute("CREATE TABLE made (it text)")
    return f"sqlite:///{path}", request.param


def test_neither_migrates_nor_tells_its_version(unfit):
    url, encoding = unfit
    for refused in (migrate, schema_version):
        with pytest.raises(InvalidFieldError) as error:
            refused(url)
        assert (error.value.metadata["field"], error.value.metadata["got"]) == ("database encoding", encoding)


def test_migrate_serve_and_doctor_say_what_is_wrong_and_how_it_is_mended(unfit, tmp_path):
    url, encoding = unfit
    named = {"TALLYGATE_DATABASE__URL": url, "TALLYGATE_DATA_DIR": str(tmp_path / "data")}
    for command in ("migrate", "serve"):
        said = one_clear_line(tallygate(command, environment=named, directory=tmp_path, code=2))
        assert encoding in said
        assert "UTF8" in said or "UTF-8" in said
    done = tallygate("doctor", "-o", "json", environment=named, directory=tmp_path, code=2)
    found = {finding["name"]: finding for finding in json.loads(done.stdout)}
    assert (found["database encoding"]["ok"], found["database encoding"]["detail"]) == (False, encoding)
    assert found["database encoding"]["fix"].startswith("a database in UTF")


@pytest.mark.parametrize("where", ["environment", "role", "options"])
def test_every_connection_speaks_utf8_whoever_says_otherwise(postgres, monkeypatch, where):
    url = make_url(postgres.create_database())
    if where == "environment":
        monkeypatch.setenv("PGCLIENTENCODING", "LATIN1")
    elif where == "role":
        engine = create_migration_engine(url.render_as_string())
        with engine.begin() as connection:
            connection.execute(text(f"ALTER DATABASE {url.database} SET client_encoding = 'SQL_ASCII'"))
        engine.dispose()
    else:
        url = url.update_query_dict({"options": "-c client_encoding=SQL_ASCII"})
    named = url.render_as_string()
    migrate(named)

    async def asked():
        engine = create_engine(named)
        async with engine.connect() as connection:
            encoding = (await connection.execute(text("SHOW client_encoding"))).scalar_one()
            said = (await connection.execute(text("SELECT CAST(:said AS text)"), {"said": NAMES})).scalar_one()
        await engine.dispose()
        return encoding, said

    assert asyncio.run(asked()) == ("UTF8", NAMES)


def test_a_url_that_asks_for_another_encoding_is_refused_before_it_is_used():
    for named in ("latin1", "SQL_ASCII"):
        with pytest.raises(DatabaseUrlError, match="expected client_encoding=utf8"):
            schema_version(f"postgresql://nobody@nowhere/x?client_encoding={named}")
