from pathlib import Path

import pytest

from tallygate.storage.sql.address import DatabaseUrlError, parse_database, shown, sqlite_at


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgresql://u:p%40ss@h:5433/d", ("postgresql", "u", "p@ss", "h", 5433, "d")),
        ("postgres://h/d", ("postgresql", None, None, "h", None, "d")),
        ("postgresql+asyncpg://h/d?sslmode=require", ("postgresql", None, None, "h", None, "d")),
        ("postgresql:///d?host=/run/postgresql", ("postgresql", None, None, None, None, "d")),
        ("sqlite:////x/a%2Fb%3Fc.db", ("sqlite", None, None, None, None, "/x/a/b?c.db")),
        ("sqlite:///x.db", ("sqlite", None, None, None, None, "x.db")),
    ],
)
def test_urls(url, expected):
    found = parse_database(url)
    assert (found.drivername, found.username, found.password, found.host, found.port, found.database) == expected


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("secret", "expected postgresql://user:password@host"),
        ("postgresql:/secret", "expected postgresql://user:password@host"),
        ("postgresql//secret", "expected postgresql://user:password@host"),
        ("postgresql://u:secret@h:port/d", "expected postgresql://user:password@host"),
        ("postgresql://u:secret@[::1/d", "expected postgresql://user:password@host"),
        ("postgresql://u:secret@h:0/d", "expected a port from 1 to 65535"),
        ("postgresql://u:secret@h:99999/d", "expected a port from 1 to 65535"),
        ("postgresql://u:p@secret@h/d", "written as %40"),
        ("postgresql://u:secret@h/d?sslmod=require", "no connection option 'sslmod'"),
        ("mysql://u:secret@h/d", "got mysql://"),
        ("oracle://u:secret@h/d", "got oracle://"),
        ("sqlite://", "names no file"),
        ("sqlite:///", "names no file"),
        ("sqlite://secret.db", "names no file"),
        ("sqlite:///:memory:", "names no file"),
        ("sqlite:///x.db?mode=memory", "written as %3F"),
        ("sqlite:///a%00secret", "NUL"),
        ("\udcffsecret", "expected postgresql://user:password@host"),
    ],
)
def test_what_is_no_database_is_refused_without_showing_it(url, said):
    with pytest.raises(DatabaseUrlError) as error:
        parse_database(url)
    assert said in str(error.value)
    assert "secret" not in str(error.value)


def test_a_path_is_no_url():
    path = Path("/x/feature%2Ffoo/a?b#c d/ü.db")
    assert parse_database(sqlite_at(path)).database == str(path)
    assert shown(sqlite_at(path)) == str(path)


def test_people_see_no_password():
    assert shown(parse_database("postgresql://u:secret@h/d?password=secret")) == "postgresql://u:***@h/d"
