"""What is selected: one for all views, kept slices, and how positions travel."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as draws

import alwidgets as al
from alwidgets.errors import AlwidgetsError, UnknownItemError
from alwidgets.selection import ORDERED, Selection, packed, unpacked

IDS = ["a", "b", "c", "d"]


def make(store: Path | None = None) -> al.Session:
    pool = al.Pool.from_texts(["one", "two", "three", "four"], ids=IDS)
    return al.Session(pool, al.Classification(["ham", "spam"]), store, audit=0)


@pytest.fixture
def session() -> al.Session:
    return make()


def test_ids_positions_and_masks_select(session: al.Session) -> None:
    selection = session.selection
    assert (len(selection), bool(selection), selection.ids) == (0, False, [])
    selection.set(["c", "a", "c"])
    assert selection.ids == ["c", "a"]
    assert selection.positions.tolist() == [2, 0]
    selection.set(np.array([3, 1, 3], dtype=np.uint8), source="lasso")
    assert (selection.ids, selection.source) == (["d", "b"], "lasso")
    selection.set([False, True, True, False])
    assert list(selection) == ["b", "c"]
    assert "b" in selection
    assert "a" not in selection
    selection.add(["d", "b"])
    assert selection.ids == ["b", "c", "d"]
    selection.remove([2])
    assert selection.ids == ["b", "d"]
    selection.clear()
    assert not selection


@pytest.mark.parametrize(
    "items",
    [
        pd.Series(["c", "a"], index=[7, 8]),
        pd.Series([2, 0], index=["x", "y"]),
        pd.Index(["c", "a"]),
        ("c", "a"),
        np.array(["c", "a"]),
        {"c": 1, "a": 2},
    ],
    ids=lambda items: type(items).__name__,
)
def test_any_collection_selects(session: al.Session, items: object) -> None:
    session.selection.set(items)  # type: ignore[arg-type]
    assert session.selection.ids == ["c", "a"]


def test_nobody_is_in_no_selection(session: al.Session) -> None:
    session.selection.set({"a"})  # type: ignore[arg-type]
    assert "a" in session.selection
    assert "nobody" not in session.selection


def test_nothing_is_lost_between_threads() -> None:
    n = 400
    pool = al.Pool.from_arrays(np.eye(n, 2), ids=[f"i{i}" for i in range(n)])
    selection = al.Session(pool, al.Classification(["ham", "spam"]), audit=0).selection
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        threads = [
            threading.Thread(target=lambda s=s: [selection.add([i]) for i in range(s, n, 4)])  # type: ignore[misc]
            for s in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(before)
    assert sorted(selection.positions.tolist()) == list(range(n))


def test_what_was_found_is_selected_as_it_is(session: al.Session) -> None:
    found = session.search("t")  # words that begin with it
    assert list(found) == found.ids == ["b", "c"]
    session.selection.set(found)
    assert session.selection.ids == ["b", "c"]
    session.selection.set(session.search("nowhere"))
    assert not session.selection


def test_listeners_are_told_who_selected(session: al.Session) -> None:
    heard: list[tuple[list[str], object]] = []
    session.on("selection", lambda selection, origin: heard.append((selection.ids, origin)))
    me = object()
    session.selection.set(["a"], origin=me)
    session.selection.add(["b"])
    session.selection.clear()
    assert heard == [(["a"], me), (["a", "b"], None), ([], None)]


def test_positions_cannot_be_written_to(session: al.Session) -> None:
    mine = np.array([1, 2])
    session.selection.set(mine)
    mine[0] = 3
    assert session.selection.ids == ["b", "c"]
    with pytest.raises(ValueError, match="read-only"):
        session.selection.positions[0] = 0


@pytest.mark.parametrize(
    ("items", "words"),
    [
        ("ab", "give a list"),
        (["a", "nobody"], "nobody"),
        ([4], "no item at position 4"),
        ([-1], "no item at position -1"),
        ([True, False], "one value for each of the 4 items"),
        ([0.5], "whole positions"),
        ([[1, 2]], "whole positions"),
        (None, "not None: give a list"),
        (3, "not 3: give a list"),
    ],
)
def test_what_is_no_selection_is_refused(session: al.Session, items: object, words: str) -> None:
    session.selection.set(["a"])
    with pytest.raises(UnknownItemError, match=words):
        session.selection.set(items)  # type: ignore[arg-type]
    assert session.selection.ids == ["a"]


def test_a_selection_goes_on_the_cards(session: al.Session) -> None:
    with pytest.raises(AlwidgetsError, match="Nothing is selected"):
        session.selection.label_next()
    session.selection.set(["d", "b"])
    assert session.selection.label_next().queued == 2
    assert session.upcoming()[:2] == ["d", "b"]
    assert [item.id for item in session.selection.label_together("odd").items] == ["d", "b"]


def test_a_selection_is_a_table_of_all_that_is_known() -> None:
    rng = np.random.default_rng(0)
    pool = al.Pool.from_texts(
        [f"text {i}" for i in range(40)],
        ids=[f"t{i}" for i in range(40)],
        features=np.repeat([[4.0, 0.0], [0.0, 4.0]], 20, axis=0) + rng.normal(size=(40, 2)),
        metadata={"item_id": range(40), "answer": list("ab") * 20, "prediction": [None] * 40},
    )
    task = al.Classification(["ham", "spam"])
    session = al.Session(pool, task, audit=0.2, executor=al.InlineExecutor(), batch_size=10)
    for at in [i for i in np.flatnonzero(~session.reserved) if i % 20 < 8]:
        session.record(f"t{at}", "ham" if at < 20 else "spam")
    assert session.current is not None
    secret = int(np.flatnonzero(session.reserved)[0])
    open_ = [i for i in np.flatnonzero(~session.reserved).tolist() if i % 20 >= 8]
    labelled = [i for i in np.flatnonzero(~session.reserved).tolist() if i % 20 < 8]
    chosen = [open_[-1], secret, labelled[0], open_[0]]  # in an order of their own
    session.selection.set(chosen)
    table = session.selection.to_frame()
    assert table["item_id"].tolist() == [f"t{i}" for i in chosen]
    assert table["content"].tolist() == [f"text {i}" for i in chosen]
    assert table["item_id_metadata"].tolist() == chosen
    assert table["answer"].tolist() == ["ab"[i % 2] for i in chosen]
    assert table["answer_label"].fillna("").tolist() == ["", "", "ham", ""]
    assert table["stream"].notna().tolist() == [False, False, True, False]
    answer, confidence = session.suggestion(open_[-1]) or ("", 0.0)
    said = table["prediction_model"].fillna("").tolist()
    assert said == [answer, "", "ham", "ham"]
    assert table["confidence"].iloc[0] == pytest.approx(confidence)
    assert np.isnan(table["confidence"].iloc[1])  # of the audit: nobody is told
    joined = session.join(table[["item_id"]])
    for name in ("annotator", "stream", "use", "bulk"):
        pd.testing.assert_series_equal(table[name], joined[name])
    session.selection.clear()
    assert session.selection.to_frame().empty
    session.close()


def test_without_text_and_model_the_table_has_the_rest() -> None:
    pool = al.Pool.from_arrays(np.eye(3), ids=["a", "b", "c"], metadata={"size": [3, 2, 1]})
    session = al.Session(pool, al.Classification(["x", "y"]), audit=0)
    session.selection.set(["c", "a"])
    table = session.selection.to_frame()
    assert table.columns[:2].tolist() == ["item_id", "size"]
    assert table["size"].tolist() == [1, 3]
    assert table[["answer", "prediction", "confidence"]].isna().all(axis=None)
    session.close()


def test_texts_that_are_none_and_values_of_other_kinds_are_in_the_table() -> None:
    texts, values = ["half \ud800", "Déjà", "b"], ["\udc00", [1, 2], {"a": 1}]
    pool = al.Pool.from_texts(
        texts, ids=["a", "b", "c"], metadata={"kind": values}, features=np.eye(3)
    )
    session = al.Session(pool, al.Classification(["x", "y"]), audit=0)
    session.selection.set(["b", "a"])
    table = session.selection.to_frame()
    assert table["content"].tolist() == ["Déjà", "half ?"]
    assert table["kind"].tolist() == ["[1, 2]", "?"]  # as the pool holds them
    assert "Déjà" in table.to_csv()
    session.close()


def test_slices_outlive_the_session(tmp_path: Path) -> None:
    store = tmp_path / "labels.db"
    first = make(store)
    heard: list[str] = []
    first.on("slices", lambda: heard.append("slices"))
    first.selection.set(["c", "a"])
    first.selection.save("odd ones")
    first.slices["all"] = IDS
    first.slices["gone"] = ["a"]
    del first.slices["gone"]
    assert heard == ["slices"] * 4
    first.close()
    again = make(store)
    assert dict(again.slices) == {"odd ones": ["c", "a"], "all": IDS}
    assert repr(again.slices) == "Slices('odd ones', 'all')"
    again.close()


def test_a_slice_keeps_each_item_once_whatever_it_comes_as(session: al.Session) -> None:
    session.slices["one by one"] = (item_id for item_id in ["c", "a", "c"])
    assert session.slices["one by one"] == ["c", "a"]
    session.slices["found"] = session.search("t")
    assert session.slices["found"] == ["b", "c"]


def test_bad_slices_are_named(session: al.Session) -> None:
    with pytest.raises(KeyError, match="no slice 'x'; there are: none"):
        session.slices["x"]
    with pytest.raises(KeyError, match="no slice 'x'"):
        del session.slices["x"]
    with pytest.raises(AlwidgetsError, match="needs a name"):
        session.slices[" "] = ["a"]
    with pytest.raises(UnknownItemError, match="nobody"):
        session.slices["x"] = ["nobody"]
    with pytest.raises(UnknownItemError, match="not a text"):
        session.slices["x"] = "ab"  # type: ignore[assignment]
    for wrong in (None, [["a"]]):
        with pytest.raises(UnknownItemError, match=r"not None|no item \['a'\]"):
            session.slices["x"] = wrong  # type: ignore[assignment]
    assert "x" not in session.slices


@given(draws.integers(1, 60_000), draws.floats(0, 1), draws.integers(0, 2**32 - 1))
def test_positions_come_as_they_went(n: int, share: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    positions = rng.permutation(n)[: int(n * share)]
    encoding, data = packed(positions, n)
    found = unpacked(encoding, data, n)
    if len(positions) <= ORDERED:
        assert found.tolist() == positions.tolist()
    else:
        assert len(data) <= max(n / 8 + 1, 4 * ORDERED)
        assert found.tolist() == sorted(positions.tolist())


@pytest.mark.parametrize(
    ("encoding", "data", "words"),
    [
        ("mask", b"\x00", "has 2 bytes; 1 came"),
        ("mask", b"\x00\x80", "beyond the 12 items"),
        ("positions", b"\x00\x00\x00", "4 bytes each; 3 bytes"),
        ("positions", b"\x0c\x00\x00\x00", "no item at position 12"),
        ("text", b"", "not as 'text'"),
    ],
)
def test_bad_positions_are_named(encoding: str, data: bytes, words: str) -> None:
    with pytest.raises(UnknownItemError, match=words):
        unpacked(encoding, data, 12)


def test_a_selection_says_what_it_is(session: al.Session) -> None:
    session.selection.set(["a", "b"], source="map")
    assert repr(session.selection) == "<Selection of 2 items, from map>"
    assert isinstance(session.selection, Selection)
