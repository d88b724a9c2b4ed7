"""A secret in any place of a URL, a key or a file never comes out again, whatever is wrong around it."""

import json
import logging

import pytest

from tallygate.settings import environment_name

CANARY = "Canary4711"
URLS = {
    "redis.url": [
        f"redis://:{CANARY}@127.0.0.1:1",
        f"redis://{CANARY}@127.0.0.1:1",
        f"redis://u:{CANARY}@127.0.0.1:1/0",
        f"redis://127.0.0.1:1?password={CANARY}",
        f"redis://127.0.0.1:1?{CANARY}",
        f"redis://127.0.0.1:1?passwort={CANARY}",
        f"redis://:p{CANARY}%40%2F@127.0.0.1:1",
        f"redis://:a@{CANARY}@127.0.0.1:1",
        f"redis://:a/{CANARY}@127.0.0.1:1",
        f"redis://:a#{CANARY}@127.0.0.1:1",
        f"redis://:a?{CANARY}@127.0.0.1:1",
        f"redis://:{CANARY}@[::1",
        f"redis://:{CANARY}@127.0.0.1:99999",
        f"rediss://:{CANARY}@127.0.0.1:1",
        f"http://:{CANARY}@127.0.0.1:1",
        f"redis:/:{CANARY}@127.0.0.1",
        f"unix://:{CANARY}@/nowhere.sock",
        CANARY,
    ],
    "database.url": [
        f"postgresql://u:{CANARY}@127.0.0.1:1/d",
        f"postgresql://127.0.0.1:1/d?password={CANARY}",
        f"postgresql://127.0.0.1:1/d?sslpassword={CANARY}",
        f"postgresql://127.0.0.1:1/d?passwort={CANARY}",
        f"postgresql://u:a@{CANARY}@127.0.0.1:1/d",
        f"postgresql://u:a/{CANARY}@127.0.0.1:1/d",
        f"postgresql://u:a#{CANARY}@127.0.0.1:1/d",
        f"postgresql://u:{CANARY}@127.0.0.1:port/d",
        f"postgresql://u:{CANARY}@[::1/d",
        f"mysql://u:{CANARY}@127.0.0.1:1/d",
        f"sqlite://u:{CANARY}@h/d",
        f"postgresql:/u:{CANARY}@127.0.0.1:1/d",
        CANARY,
    ],
}
COMMANDS = [
    ("settings", "show"),
    ("settings", "show", "-o", "json"),
    ("serve", "--role", "control", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--log-level", "debug"),
    ("doctor",),
    ("migrate", "--accept-loss"),
    ("tenant", "create", "t"),
    ("key", "create", "k", "--scope", "data", "--local", "--tenant", "t"),
]


@pytest.fixture(autouse=True)
def _own_logs():
    """`serve` configures the process's logs: what a test started ends with it."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:], root.level = handlers, level


CASES = [(key, url) for key, urls in URLS.items() for url in urls]


@pytest.mark.parametrize(("key", "url"), CASES, ids=range(len(CASES)))
def test_a_url_never_shows_its_secret(say, monkeypatch, home, caplog, key, url):
    monkeypatch.setenv("TALLYGATE_DATA_DIR", str(home / "d"))
    if key == "database.url":
        monkeypatch.setenv("TALLYGATE_REDIS__URL", "redis://127.0.0.1:1")
    monkeypatch.setenv(environment_name(key), url)
    for words in COMMANDS:
        said = say(*words)
        assert said.code in {0, 2, 3}
        assert CANARY not in said.out + said.err + caplog.text, words
        assert "Traceback" not in said.err
        assert "a defect" not in said.err, (words, said.err)


@pytest.mark.parametrize("key", URLS)
def test_neither_does_a_file_or_a_flag_that_is_wrong(say, home, key):
    group, _, leaf = key.partition(".")
    url = URLS[key][0]
    inside = [url, [url], {leaf: [url]}, {leaf: {url: 1}}, {url: 1}]
    for content in [*({group: each} for each in inside), {url: 1}, [url]]:
        (home / "s.yaml").write_text(json.dumps(content))
        said = say("settings", "show", "--config", home / "s.yaml")
        assert said.code == 2
        assert CANARY not in said.out + said.err, content
    flag = f"--{group}-url"
    for words in (
        (flag, url + "\0"),
        (flag, url + "\udcff"),
        ("--set", url),
        (f"{flag}l={url}",),
        (url,),
        ("--set", f"{url}=1"),
    ):
        said = say("settings", "show", *words)
        assert said.code == 2
        assert CANARY not in said.out + said.err, words


def test_nor_does_a_key_that_cannot_be_sent(say, home, server):
    (home / "key").write_text(f"tg_{CANARY} {CANARY}")
    for words in (("--key", f"tg_{CANARY}\udcff"), ("--key", f"tg {CANARY}"), ("--key-file", home / "key")):
        said = say("account", "list", *words)
        assert said.code == 2
        assert CANARY not in said.out + said.err, words
    assert server.requests == []
