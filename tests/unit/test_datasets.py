"""Data sets to try things on."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

import alwidgets as al
from alwidgets import datasets


def test_digits() -> None:
    pool, truth = datasets.digits()
    assert len(pool) == len(truth) == 1_797
    assert sorted(set(truth)) == [str(d) for d in range(10)]


def test_docstrings() -> None:
    pool, truth = datasets.docstrings(["numpy", "pandas"])
    assert len(pool) == len(truth) > 300
    assert set(truth) == {"numpy", "pandas"}
    assert pool.features.shape[0] == len(pool)
    assert set(datasets.docstrings("numpy")[1]) == {"numpy"}


def test_messages() -> None:
    pool, truth = datasets.messages(600, spam=0.3, seed=1)
    again, same = datasets.messages(600, spam=0.3, seed=1)
    assert list(pool.ids) == list(again.ids)
    assert truth == same
    assert len(pool) == len(truth) == 600
    assert 0.2 < truth.count("spam") / 600 < 0.4
    texts = [content.text for content in pool.contents]
    assert not any("{" in text for text in texts)
    assert list(datasets.messages(600, spam=0.3, seed=2)[0].ids) != list(pool.ids)
    for wrong in ({"n": 0}, {"n": 5_001}, {"spam": 0.0}, {"spam": 1.0}):
        with pytest.raises(al.AlwidgetsError, match="a share between 0 and 1"):
            datasets.messages(**wrong)


ROWS = (
    '"3","Oil up","Prices rose\\again."\n"1","Talks go on","Nobody left."\n'
    '"3","Oil up","Prices rose\\again."\n'
)


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "news.csv").write_text(ROWS)
    handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/news.csv"
    server.shutdown()
    server.server_close()


def test_ag_news_is_read_and_duplicates_collapse(served: str) -> None:
    pool, truth = datasets.ag_news(served, "md5:" + hashlib.md5(ROWS.encode()).hexdigest())
    assert truth == ["Business", "World"]
    assert pool.contents[0].text == "Oil up Prices rose again."  # type: ignore[union-attr]
    assert pool.duplicates == 1


def test_another_file_than_it_should_be_is_refused(served: str) -> None:
    with pytest.raises(al.AlwidgetsError, match="could not be had from http"):
        datasets.ag_news(served)


def test_without_a_connection(served: str) -> None:
    with pytest.raises(al.AlwidgetsError, match="Check the connection"):
        datasets.ag_news(served + ".gone")
