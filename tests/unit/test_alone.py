"""Who migrates an SQLite file waits for who does."""

import threading

import pytest

from tallygate.domain.errors import StoreUnavailableError
from tallygate.storage.sql.address import parse_database, sqlite_at
from tallygate.storage.sql.alone import alone


def test_one_works_beside_a_file_at_a_time_and_who_waited_comes_after(tmp_path):
    target, done = sqlite_at(tmp_path / "a.db"), []

    def second():
        with alone(target):
            done.append("second")

    waiting = threading.Thread(target=second)
    with alone(target):
        waiting.start()
        with pytest.raises(StoreUnavailableError), alone(target, seconds=0):
            done.append("both")
        done.append("first")
    waiting.join(60)
    assert done == ["first", "second"]


@pytest.mark.parametrize("url", ["postgresql://u@h/d", "sqlite:////no/such/directory/a.db"])
def test_what_has_no_file_beside_it_is_not_waited_for(url):
    with alone(parse_database(url)), alone(parse_database(url), seconds=0):
        pass
