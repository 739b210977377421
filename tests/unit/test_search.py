"""Searching: what is typed, conditions, the scan and the index, which must agree."""

from __future__ import annotations

import re
import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import alwidgets as al
from alwidgets import filters, finding, textindex
from alwidgets.content import Text
from alwidgets.errors import AlwidgetsError
from alwidgets.search import scan
from alwidgets.terms import folded, parse
from alwidgets.textindex import TextIndex

TEXTS = [
    "Win a prize",
    "see you at six",
    "claim your PRIZES now",
    "enterprize",
    "a prize to win, not a win to prize",
    "Déjà vu, déjà lu",
    "会議は午後3時からです",
    "don't e-mail me AND NOT them OR NEAR(x)",
    "",
    "under_score and 42,000",
]


def index_of(texts: list[str], **options: Any) -> TextIndex:
    index = TextIndex([Text(t) for t in texts], **({"run": lambda work: work()} | options))
    index.start()
    assert index.problem is None
    return index


def test_what_joins_is_found_behind_the_others() -> None:
    waiting: list[Any] = []
    index = TextIndex([Text(t) for t in TEXTS], run=waiting.append)
    more = [*TEXTS, "another prize", "six prizes"]
    index.grow([Text(t) for t in more[:-1]])  # before it is built: of all that there is
    index.start()
    waiting.pop()()
    index.grow([Text(t) for t in more])
    index.grow([Text(t) for t in more])
    assert len(waiting) == 1
    terms = parse("prize")
    found = index.search(terms)
    assert found is not None
    assert (found.positions.tolist(), found.read) == ([0, 2, 4, 10], 11)
    waiting.pop()()
    for most, expected in ((None, [0, 2, 4, 10, 11]), (4, [0, 2, 4, 10]), (2, [0, 2])):
        found = index.search(terms, most)
        assert found is not None
        assert (found.positions.tolist(), found.total, found.read) == (expected, 5, 12)
    index.close()
    index.grow([Text(t) for t in [*more, "prize"]])
    assert index.search(terms) is None
    assert waiting == []


@pytest.fixture(scope="module")
def index() -> Iterator[TextIndex]:
    made = index_of(TEXTS)
    yield made
    made.close()


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("prize", [0, 2, 4]),  # words that begin with it, not those that hold it
        ("PRIZE win", [0, 4]),
        ('"prize"', [0, 4]),
        ('"prize to win"', [4]),
        ('"to win prize"', []),
        ('"win a pri', [0]),  # still being typed
        ("deja", [5]),
        ("DÉJÀ", [5]),
        ("会議", [6]),
        ("午後", [6]),
        ("e-mail", [7]),
        ("don't", [7]),
        ("score", [9]),
        ("42", [9]),
        ("AND NOT", [7]),
        ("nowhere", []),
    ],
)
def test_what_is_found(index: TextIndex, typed: str, expected: list[int]) -> None:
    terms = parse(typed)
    found = index.search(terms)
    assert found is not None
    assert found.positions.tolist() == expected
    pool = al.Pool.from_texts(TEXTS, features=np.eye(len(TEXTS), dtype=np.float32))
    assert scan(pool, terms).positions.tolist() == expected


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=30) | st.text('"*^():+-{}ANDORT~ prizewin', max_size=30))
def test_nothing_that_is_typed_is_an_error(index: TextIndex, typed: str) -> None:
    terms = parse(typed, ["length"])
    if terms.phrases:
        assert index.search(terms, 5) is not None
        terms.patterns()


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.text("ab cé-_会?", max_size=12), min_size=1, max_size=6),
    st.text('ab cé会" ', min_size=1, max_size=6),
)
def test_the_index_finds_what_the_scan_finds(texts: list[str], typed: str) -> None:
    terms = parse(typed)
    if not terms.phrases:
        return
    made = index_of(texts)
    found = made.search(terms)
    made.close()
    patterns = terms.patterns()
    expected = [i for i, t in enumerate(texts) if all(p.search(folded(t)) for p in patterns)]
    assert found is not None
    assert found.positions.tolist() == expected


def test_the_first_are_returned_and_all_are_counted() -> None:
    made = index_of([f"prize {i}" for i in range(3_000)])
    found = made.search(parse("prize"), 500)
    assert found is not None
    assert found.positions.tolist() == list(range(500))
    assert (found.total, found.read) == (3_000, 3_000)
    made.close()
    assert made.search(parse("prize")) is None


def test_a_large_index_is_kept_by_the_texts_in_their_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(textindex, "IN_MEMORY", 2)
    index_of(TEXTS, folder=tmp_path).close()
    (file,) = tmp_path.iterdir()
    written = file.stat().st_mtime_ns
    monkeypatch.setattr(TextIndex, "_fill", lambda *_: pytest.fail("it was built again"))
    again = index_of(TEXTS, folder=tmp_path)
    found = again.search(parse("deja"))
    assert found is not None
    assert found.positions.tolist() == [5]
    again.close()
    assert file.stat().st_mtime_ns == written
    monkeypatch.undo()
    monkeypatch.setattr(textindex, "IN_MEMORY", 2)
    index_of([*TEXTS[1:], TEXTS[0]], folder=tmp_path).close()
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("harm", [b"", b"no database at all, but long enough" * 300])
def test_a_damaged_file_is_written_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, harm: bytes
) -> None:
    monkeypatch.setattr(textindex, "IN_MEMORY", 2)
    index_of(TEXTS, folder=tmp_path).close()
    (file,) = tmp_path.iterdir()
    file.write_bytes(harm)
    again = index_of(TEXTS, folder=tmp_path)
    found = again.search(parse("prize"))
    assert found is not None
    assert found.total == 3
    again.close()
    assert [f.name for f in tmp_path.iterdir()] == [file.name]


def test_without_a_cache_it_is_built_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("ALWIDGETS_CACHE", str(tmp_path / "file"))
    monkeypatch.setattr(textindex, "IN_MEMORY", 2)
    made = index_of(TEXTS)
    assert made.search(parse("prize")) is not None
    made.close()


def test_where_it_fails_the_texts_are_looked_through(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise sqlite3.OperationalError("no such module: fts5")

    monkeypatch.setattr(TextIndex, "_fill", fail)
    monkeypatch.setattr(finding, "WORTH_IT", 2)
    made = TextIndex([Text(t) for t in TEXTS], run=lambda work: work())
    monkeypatch.setattr(finding, "shared_index", lambda pool: made)
    session = opened()
    assert session.search("prize").total == 3
    assert "fts5" in str(made.problem)
    session.close()


def test_what_is_being_built_is_told_and_can_be_given_up() -> None:
    heard: list[float | None] = []
    made = TextIndex([Text("a b")] * 10_000, run=lambda work: work())
    end = made.on_change(lambda: heard.append(made.progress))
    made.start()
    made.start()
    assert heard[:5] == [0.2, 0.4, 0.6, 0.8, 0.99]
    assert heard[5:] == [None]
    end()
    made.close()

    stopped = TextIndex([Text("a b")] * 10_000, run=lambda work: work())
    stopped.on_change(stopped.close)
    stopped.start()
    assert not stopped.ready


def opened(**options: Any) -> al.Session:
    metadata: dict[str, Any] = {
        "sender": ["ann", "Bob", None, "ann", "bob", "cy d", "ann", "bob", None, "ann"],
        "length": [5, 10, 15, None, 25, 30, 35, 40, 45, 50],
        "read": [True, False] * 5,
        "sent": [f"2024-0{m}-01" for m in range(1, 10)] + ["2024-10-01"],
    }
    features = np.eye(len(TEXTS), dtype=np.float32)
    texts = [t or "empty" for t in TEXTS]
    pool = al.Pool.from_texts(texts, ids=range(10), features=features, metadata=metadata)
    return al.Session(pool, al.Classification(["ham", "spam"]), audit=0, **options)


@pytest.mark.parametrize(
    ("text", "where", "expected"),
    [
        ("prize sender:ann", None, [0]),
        ("sender:ann", None, [0, 3, 6, 9]),
        ("sender:BO", None, [1, 4, 7]),
        ("sender=bo", None, []),
        ('sender:"cy d"', None, [5]),
        ("SENDER=bob", None, [1, 4, 7]),
        ("length>=40", None, [7, 8, 9]),
        ("length<15 length>5", None, [1]),
        ("length=25", None, [4]),
        ("length>many", None, []),
        ("read:yes length<30", None, [0, 2, 4]),
        ("sent<2024-03-01", None, [0, 1]),
        ("prize", {"sender": "bob"}, [4]),
        ("", {"sender": ["bob", "cy d"]}, [4, 5, 7]),
        ("", {"length": lambda n: n % 20 == 0}, [7]),
        ("", {"read": True, "length": 25}, [4]),
        ("sender!=ann", None, [1, 4, 5, 7]),
        ("length!=25 length!=many", None, [0, 1, 2, 5, 6, 7, 8, 9]),
        ("read!=yes length<30", None, [1]),
        ('sender!="cy d" sender!=ANN', None, [1, 4, 7]),
        ('"length">40', None, [8, 9]),
        ('"a prize":x', None, []),
        ('"prize to win":n', None, [4]),  # no such column: a phrase, and words
        ("shoe:size", None, []),  # no such column: words
    ],
)
def test_conditions(text: str, where: Any, expected: list[int]) -> None:
    session = opened()
    found = session.search(text, where=where)
    assert found.positions == expected
    assert found.ids == [str(i) for i in expected]
    assert (found.total, len(found), found.read) == (len(expected), len(expected), 10)
    session.close()


SIGNS = ["sent by", "a:b", "is<5", 'say "hi"', "wow!"]


@pytest.mark.parametrize("n", [5, 2_500])
@pytest.mark.parametrize("column", SIGNS)
def test_columns_whose_names_hold_spaces_and_signs(column: str, n: int) -> None:
    texts, values = [f"prize {i}" for i in range(n)], ["al", "bo", "al", None, "al"] * (n // 5)
    pool = al.Pool.from_texts(texts, metadata={column: values}, features=np.ones((n, 1)))
    session = al.Session(pool, al.Classification(["x", "y"]), audit=0)
    doubled = column.replace('"', '""')
    is_al = [i for i in range(n) if values[i] == "al"]
    for typed in (f'"{doubled}":AL', f'prize "{doubled}"="al"'):
        found = session.search(typed, n=n)
        assert (found.positions, found.hint) == (is_al, "")
    found = session.search(f'"{doubled}"!=al', n=n)
    assert found.positions == [i for i in range(n) if values[i] == "bo"]
    session.close()


@pytest.mark.parametrize(
    ("typed", "hint"),
    [
        ("sendr:ann", "there is no column “sendr”.*; did you mean sender:"),
        ("shoe!=5 prize", "there is no column “shoe”, so its words are looked for$"),
        ('"sent bi">4', 'no column “sent bi”.*; did you mean "sent by":'),
        ("sender:ann prize", "^$"),
        ("at 12:30 http://prize.com", "^$"),  # a time, and an address
        ('"sent by al', "^$"),
    ],
)
def test_what_may_have_been_meant_as_a_column_is_said(typed: str, hint: str) -> None:
    metadata = {"sender": ["ann", "bob"], "sent by": ["al", "bo"]}
    pool = al.Pool.from_texts(["a prize", "12:30"], metadata=metadata, features=np.eye(2))
    session = al.Session(pool, al.Classification(["x", "y"]), audit=0)
    found = session.search(typed)
    assert re.search(hint, found.hint)
    assert str(found).endswith(found.hint)
    session.close()
    bare = al.Session(al.Pool.from_texts(["a", "b"]), al.Classification(["x", "y"]), audit=0)
    assert bare.search("sendr:ann").hint == ""  # nobody means columns where there are none
    bare.close()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("",), "nothing to search for"),
        (("?!", None), "nothing to search for"),
        (("prize", {"sendr": "ann"}), "'sendr'.*'sender'"),
        (("prize", ["sender"]), "where names columns"),
        (("", {"length": lambda n: n / 0}), "'length' fails for item 0.*ZeroDivisionError"),
        ((7,), "a text, not 7"),
        (("prize", None, -1), "-1"),
        (("prize", None, 1.5), "whole number; 1.5"),
        (("prize", None, "3"), "whole number; '3'"),
        (("prize", None, True), "whole number; True"),
    ],
)
def test_what_cannot_be_searched_is_named(arguments: Any, says: str) -> None:
    session = opened()
    with pytest.raises(AlwidgetsError, match=says):
        session.search(*arguments)
    session.close()


def test_what_has_no_text_is_found_by_its_metadata_alone() -> None:
    pool = al.Pool.from_arrays(np.eye(3), ids=range(3), metadata={"size": [1, 2, 3]})
    session = al.Session(pool, al.Classification(["a", "b"]), audit=0)
    assert session.search(where={"size": 2}).positions == [1]
    with pytest.raises(AlwidgetsError, match="no text"):
        session.search("x")
    session.close()


def test_single_values_and_whole_columns_agree() -> None:
    columns = {"it": [None if i % 7 == 0 else i % 5 for i in range(1_000)]}
    (wanted,) = filters.conditions({"it": [2, 3]}, columns)
    whole = filters.meeting(columns, wanted, np.arange(1_000))
    assert whole.tolist() == [i for i, v in enumerate(columns["it"]) if v in (2, 3)]
    few = np.array([7, 8, 12, 13, 999])
    assert filters.meeting(columns, wanted, few).tolist() == [8, 12, 13]
    assert filters.meeting({"it": tuple(columns["it"])}, wanted, few).tolist() == [8, 12, 13]
    (bad,) = filters.conditions({"it": lambda v: v / (v - 3)}, columns)
    with pytest.raises(AlwidgetsError, match="fails for item 8, whose value is 3"):
        filters.meeting(columns, bad, few)


def test_at_most_n_and_the_words_for_it() -> None:
    session = opened()
    found = session.search("prize", n=2)
    assert (found.positions, found.total, str(found)) == (
        [0, 2],
        3,
        "3 items found, 2 of them here",
    )
    assert str(session.search("deja")) == "1 item found"
    session.close()


def test_the_index_is_used_once_it_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """And the same answer comes before, from what can be looked through."""
    monkeypatch.setattr(finding, "WORTH_IT", 2)
    go = threading.Event()
    held: list[threading.Thread] = []

    def later(work: Any) -> None:
        held.append(threading.Thread(target=lambda: (go.wait(10), work())))
        held[0].start()

    made = TextIndex([Text(t) for t in TEXTS], run=later)
    monkeypatch.setattr(finding, "shared_index", lambda pool: made)
    session = opened()
    before = session.search("prize sender:ann")
    go.set()
    held[0].join(10)
    assert made.ready
    monkeypatch.setattr(finding, "scan", lambda *_, **__: pytest.fail("the index is there"))
    assert session.search("prize sender:ann") == before
    session.record("0", "spam")
    gathered = session.gather(search="prize")
    assert ([i.id for i in gathered.items], gathered.left_out) == (["2", "4"], 1)
    session.close()
    made.close()


@pytest.mark.parametrize("n", [np.int64(2), np.uint8(2), 10**30])
def test_whole_numbers_of_every_kind_leave_the_index_in_place(
    n: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finding, "WORTH_IT", 2)
    made = index_of([t or "empty" for t in TEXTS])
    monkeypatch.setattr(finding, "shared_index", lambda pool: made)
    session = opened()
    assert session.search("prize", n=n).positions == [0, 2, 4][: int(n)]
    assert made.ready
    session.close()
    made.close()


def test_an_index_that_cannot_be_read_any_more_is_built_again_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(textindex, "IN_MEMORY", 2)
    made = index_of(TEXTS, folder=tmp_path)
    made.grow([Text(t) for t in [*TEXTS, "another prize"]])
    (file,) = tmp_path.iterdir()
    inode = file.stat().st_ino

    def fail(*_: Any) -> None:
        raise sqlite3.DatabaseError("database disk image is malformed")

    for ready in (True, False):
        with monkeypatch.context() as broken:
            broken.setattr(textindex, "_found", fail)
            assert made.search(parse("prize")) is None
        assert made.ready is ready
        found = made.search(parse("prize"))
        if ready:
            assert found is not None
            assert (found.positions.tolist(), found.read) == ([0, 2, 4, 10], 11)
            assert made.problem is None
            (written,) = tmp_path.iterdir()  # it is not the file that was broken
            assert written.stat().st_ino != inode
    assert "malformed" in str(made.problem)
    made.close()


def test_one_index_a_pool_is_shared() -> None:
    pool = al.Pool.from_texts([f"prize {i}" for i in range(2_500)], features=np.ones((2_500, 1)))
    made = textindex.shared_index(pool)
    assert textindex.shared_index(pool) is made
    session = al.Session(pool, al.Classification(["a", "b"]), audit=0)
    assert session.text_index is made
    assert session.search("prize").total == 2_500
    until = time.monotonic() + 20
    while not made.ready and time.monotonic() < until:
        time.sleep(0.01)
    found = session.search("prize 249")
    assert found.positions == [249, *range(2_490, 2_500)]
    session.close()
    made.close()


def test_texts_that_lie_in_files_are_indexed_and_filtered(tmp_path: Path) -> None:
    n = 2_500
    table = pa.table(
        {
            "text": [f"prize {i}" if i % 5 == 0 else f"lunch {i}" for i in range(n)],
            "sender": ["ann", "bob"] * (n // 2),
            "x": np.arange(n, dtype=np.float32),
        }
    )
    pq.write_table(table, tmp_path / "rows.parquet", row_group_size=400)
    pool = al.Pool.from_parquet(
        tmp_path / "rows.parquet",
        text="text",
        features=["x"],
        metadata="sender",
        cache=tmp_path,
    )
    session = al.Session(pool, al.Classification(["a", "b"]), audit=0)
    index = session.text_index
    assert index is not None
    for _ in range(2):  # looked through, and by the index
        assert session.search("prize sender:bob").total == n // 10
        assert session.search("", where={"sender": "ann"}, n=3).positions == [0, 2, 4]
        until = time.monotonic() + 20
        while not index.ready and time.monotonic() < until:
            time.sleep(0.01)
    assert index.ready
    session.close()
    index.close()
