"""The lists beside the map, on sessions that are real."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import alwidgets as al
from alwidgets.content import Image
from alwidgets.errors import MessageError
from alwidgets.widgets.background import Superseded
from alwidgets.widgets.listing import KEPT, ROWS, Listing
from alwidgets.widgets.ordering import MOST_SIMILAR, WAYS, by_colour, in_words, short, ways

N = 130
RNG = np.random.default_rng(0)
SIDE = np.arange(N) % 2
X = RNG.normal(size=(N, 3)) + 3 * SIDE[:, None]
LENGTHS = [None if i % 10 == 0 else (7 * i) % N for i in range(N)]
MEASURED = SimpleNamespace(outliers=np.linspace(1, 0, N), local_trust=None)

Sent = list[tuple[dict[str, Any], list[bytes]]]


@pytest.fixture
def session() -> Iterator[al.Session]:
    metadata: dict[str, Any] = {"length": LENGTHS, "sender": ["ann", "bob"] * (N // 2)}
    pool = al.Pool.from_arrays(
        X, content=[f"text {i}" for i in range(N)], ids=range(N), metadata=metadata
    )
    made = al.Session(
        pool,
        al.Classification(["left", "right"]),
        batch_size=10,
        seed=0,
        executor=al.InlineExecutor(),
    )
    yield made
    made.close()


def label(session: al.Session, n: int) -> None:
    for _ in range(n):
        item = session.next()[0]
        session.record(item.id, ["left", "right"][SIDE[item.index]])
    session.retrain()


def now(work: Callable[[], None]) -> None:
    work()


class Desk:
    """A list's front end, which hears at once."""

    def __init__(self, session: Any, run: Callable[[Callable[[], None]], None] = now) -> None:
        self.sent: Sent = []
        self.listing = Listing(
            session,
            MEASURED,  # type: ignore[arg-type]
            lambda *message: self.sent.append(message),
            run,
        )
        self.made = 0

    def ask(self, start: int = 0, list: str | None = None, **of: Any) -> dict[str, Any]:
        self.made += 1
        message = {"type": "list", "list": list or f"list-{self.made}", "of": of, "start": start}
        self.listing.ask(message)
        return self.sent[-1][0]


def points(by: str, descending: bool = False, selected: bool = False) -> dict[str, Any]:
    return {"kind": "points", "by": by, "descending": descending, "selected": selected}


def all_rows(desk: Desk, **of: Any) -> list[dict[str, Any]]:
    """Every row of a list, page by page."""
    first = desk.ask(list="all", **of)
    rows = list(first["rows"])
    while len(rows) < first["total"]:
        rows += desk.ask(list="all", start=len(rows), **of)["rows"]
    return rows


# ---------------------------------------------------------------------- edge cases


@pytest.mark.parametrize("by", WAYS)
def test_edge_cases_are_those_of_python_with_their_reasons(session: al.Session, by: Any) -> None:
    label(session, 20)
    label(session, 10)
    expected = session.edge_cases(500, by=by)
    rows = all_rows(Desk(session), kind="edge_cases", by=by)
    assert [row["item_id"] for row in rows] == list(expected.index)
    assert [row["why"] for row in rows] == list(expected["why"])
    assert [session.pool.index(row["item_id"]) for row in rows] == [row["index"] for row in rows]


def test_a_row_has_what_is_seen_of_an_item(session: al.Session) -> None:
    label(session, 20)
    rows = all_rows(Desk(session), kind="edge_cases", by="knn")
    labels = session.labels()["answer"]
    for row in rows:
        assert row["content"] == {"kind": "text", "text": f"text {row['index']}"}
        assert row["label"] == labels.get(row["item_id"])
    assert sum(row["label"] is not None for row in rows) == 20


@pytest.mark.parametrize("by", ["mahalanobis", "energy", "disagreement", "flipped"])
def test_what_needs_a_model_says_so_and_what_to_do(session: al.Session, by: str) -> None:
    answer = Desk(session).ask(kind="edge_cases", by=by)
    assert (answer["total"], answer["rows"]) == (0, [])
    assert WAYS[by] in answer["note"]
    assert "Label some items of at least two classes" in answer["note"]


def test_what_needs_a_history_says_so(session: al.Session) -> None:
    label(session, 8)
    assert session.current is not None
    assert session.current.version == 1
    note = Desk(session).ask(kind="edge_cases", by="flipped")["note"]
    assert "Only one model has been trained" in note
    assert "label more" in note


def test_an_empty_list_says_what_that_means(session: al.Session) -> None:
    for item_id in session.pool.ids:
        session.record(item_id, "left" if session.pool.index(item_id) % 2 == 0 else "right")
    answer = Desk(session).ask(kind="edge_cases", by="unlabelled_cluster")
    assert (answer["total"], answer["note"]) == (0, "Every group has a label.")


def test_errors_name_the_ways_as_the_person_sees_them() -> None:
    assert in_words("use by='disagreement' or by='mahalanobis'.") == (
        "use “The committee disagrees” or “Unlike the class predicted”."
    )


def test_ways_that_cannot_be_are_not_offered(session: al.Session) -> None:
    assert {way["by"] for way in ways(session)["ways"]} == set(WAYS)
    assert [w["by"] for w in ways(session)["ways"] if w["needs"] is None] == [
        "knn",
        "unlabelled_cluster",
    ]
    label(session, 20)
    assert all(way["needs"] is None for way in ways(session)["ways"])
    many = SimpleNamespace(task=al.MultiLabel(["a", "b"]), current=None)
    assert "energy" not in {way["by"] for way in ways(many)["ways"]}
    none = SimpleNamespace(task=al.Correction(), current=None)
    assert {way["by"] for way in ways(none)["ways"]} == {"knn", "unlabelled_cluster"}


# ---------------------------------------------------------------------- points by colour


@pytest.mark.parametrize("descending", [False, True])
def test_points_are_sorted_by_a_quantity_either_way(session: al.Session, descending: bool) -> None:
    rows = all_rows(Desk(session), **points("meta:length", descending))
    lengths = [LENGTHS[row["index"]] for row in rows]
    known = [length for length in lengths if length is not None]
    assert known == sorted(known, reverse=descending)
    assert lengths[len(known) :] == [None] * 13
    assert [row["value"] for row in rows] == [
        "no value" if length is None else str(length) for length in lengths
    ]
    assert sorted(row["index"] for row in rows) == list(range(N))


@pytest.mark.parametrize("descending", [False, True])
def test_classes_come_in_the_order_of_the_legend(session: al.Session, descending: bool) -> None:
    label(session, 20)
    rows = all_rows(Desk(session), **points("label", descending))
    values = [row["value"] for row in rows]
    first, second = ("right", "left") if descending else ("left", "right")
    turns = [
        value for value, before in zip(values, [None, *values], strict=False) if value != before
    ]
    assert turns == [first, second, "not labelled"]
    # Of equals the first in the pool comes first, either way.
    for value in turns:
        indices = [row["index"] for row in rows if row["value"] == value]
        assert indices == sorted(indices)


@pytest.mark.parametrize("by", ["prediction", "confidence", "uncertainty", "score:margin"])
@pytest.mark.parametrize("descending", [False, True])
def test_nobody_is_told_what_the_model_thinks_of_the_audit(
    session: al.Session, by: str, descending: bool
) -> None:
    label(session, 20)
    reserved = session.reserved
    assert reserved.any()
    rows = all_rows(Desk(session), **points(by, descending))
    told = [row for row in rows if reserved[row["index"]]]
    assert {row["value"] for row in told} <= {"for audit", "labelled or for audit"}
    # Nor by the place: they are last, in the order of the pool.
    last = [row["index"] for row in rows if "for audit" in row["value"]]
    assert last == sorted(last)
    assert [row["index"] for row in rows[-len(last) :]] == last


def test_shares_are_never_rounded_up(session: al.Session) -> None:
    label(session, 20)
    rows = all_rows(Desk(session), **points("confidence", descending=True))
    sure = session.current.confidence  # type: ignore[union-attr]
    for row in rows:
        if row["value"].endswith("%"):
            assert float(row["value"][:-2]) <= 100 * sure[row["index"]] + 1e-6


def test_the_selection_alone_where_there_is_one(session: al.Session) -> None:
    desk = Desk(session)
    assert desk.ask(**points("outlier", selected=True))["total"] == N
    session.selection.set([5, 99, 3])
    answer = desk.ask(**points("outlier", selected=True))
    assert [row["index"] for row in answer["rows"]] == [99, 5, 3]
    assert desk.ask(**points("outlier", selected=False))["total"] == N


def test_what_cannot_be_listed_by_yet_says_so(session: al.Session) -> None:
    desk = Desk(session)
    assert "no model yet" in desk.ask(**points("confidence"))["note"]
    assert "not measured yet" in desk.ask(**points("trust"))["note"]


def test_a_sort_that_is_no_longer_wanted_is_given_up(session: al.Session) -> None:
    def wanted_no_more() -> None:
        raise Superseded

    with pytest.raises(Superseded):
        by_colour(
            session,
            "meta:length",
            descending=False,
            selected=False,
            outliers=None,
            trust=None,
            between=wanted_no_more,
        )


def test_while_a_list_is_made_the_newest_request_counts(session: al.Session) -> None:
    held: list[Callable[[], None]] = []
    desk = Desk(session, held.append)
    for by in ("label", "stream", "meta:length"):
        desk.listing.ask({"list": by, "of": points(by), "start": 0})
    assert desk.sent == []
    held[0]()
    assert [message["list"] for message, _ in desk.sent] == ["meta:length"]


# ---------------------------------------------------------------------- more like this


def test_more_like_this_is_that_of_python(session: al.Session) -> None:
    expected = session.similar(session.pool.ids[7], MOST_SIMILAR)
    desk = Desk(session)
    rows = all_rows(desk, kind="similar", index=7)
    assert [row["item_id"] for row in rows] == list(expected.index)
    assert [row["value"] for row in rows] == [short(d) for d in expected["distance"]]
    assert desk.sent[0][0]["like"]["index"] == 7


# ---------------------------------------------------------------------- pages


def test_a_list_keeps_its_order_while_labels_come(session: al.Session) -> None:
    desk = Desk(session)
    before = desk.ask(list="mine", **points("label"))
    label(session, 20)
    after = desk.ask(list="mine", start=ROWS, **points("label"))
    assert [row["index"] for row in before["rows"] + after["rows"]] == list(range(2 * ROWS))
    assert desk.ask(list="new", **points("label"))["rows"][0]["value"] == "left"


def test_one_can_go_back_to_the_last_few_lists(session: al.Session) -> None:
    desk = Desk(session)
    desk.ask(list="first", **points("label"))
    for k in range(KEPT - 1):
        desk.ask(list=f"list-{k}", **points("stream"))
    label(session, 20)
    kept = desk.ask(list="first", start=ROWS, **points("label"))
    assert kept["rows"][0]["index"] == ROWS
    for k in range(KEPT):
        desk.ask(list=f"more-{k}", **points("stream"))
    # One that was let go of is made again.
    again = desk.ask(list="first", start=2 * ROWS, **points("label"))
    assert (again["total"], len(again["rows"])) == (N, N - 2 * ROWS)


def test_beyond_the_end_there_are_no_rows(session: al.Session) -> None:
    answer = Desk(session).ask(start=1000, **points("label"))
    assert (answer["total"], answer["rows"], answer["note"]) == (N, [], None)


def test_an_item_that_cannot_be_shown_takes_no_other_with_it() -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (90, 120, 3), dtype=np.uint8)
    contents: list[Any] = [
        Image.from_array(pixels),
        Image(b"no image", "image/png", 90, 90),
        Image.from_array(pixels[:8, :8]),
    ]
    pool = al.Pool.from_arrays(np.eye(3), content=contents, ids=["a", "b", "c"])
    session = al.Session(pool, al.Classification(["x", "y"]), audit=0)
    session.record("c", "y")
    desk = Desk(session)
    answer = desk.ask(**points("label", descending=True))
    labelled, image, broken = answer["rows"]
    assert (labelled["content"]["width"], labelled["content"]["height"]) == (8, 8)
    assert (image["content"]["width"], image["content"]["height"]) == (64, 48)
    assert broken["content"]["text"] == "b (cannot be shown)"
    assert len(desk.sent[0][1]) == 2
    session.close()


def test_a_failure_reaches_the_person(session: al.Session, monkeypatch: Any) -> None:
    def broken(n: int, by: str) -> Any:
        raise ZeroDivisionError("by zero")

    monkeypatch.setattr(session, "edge_cases", broken)
    note = Desk(session).ask(kind="edge_cases", by="knn")["note"]
    assert note == "The list could not be made: ZeroDivisionError: by zero"


@pytest.mark.parametrize(
    "message",
    [
        {},
        {"list": "", "of": points("label"), "start": 0},
        {"list": "x" * 65, "of": points("label"), "start": 0},
        {"list": "x", "of": points("label"), "start": -1},
        {"list": "x", "of": points("label"), "start": True},
        {"list": "x", "of": points("nonsense"), "start": 0},
        {"list": "x", "of": points("label") | {"descending": 1}, "start": 0},
        {"list": "x", "of": {"kind": "edge_cases", "by": ["knn"]}, "start": 0},
        {"list": "x", "of": {"kind": "edge_cases", "by": "nonsense"}, "start": 0},
        {"list": "x", "of": {"kind": "similar", "index": N}, "start": 0},
        {"list": "x", "of": {"kind": "similar", "index": "7"}, "start": 0},
        {"list": "x", "of": {"kind": "nonsense"}, "start": 0},
        {"list": "x", "of": None, "start": 0},
    ],
)
def test_what_is_malformed_is_refused(session: al.Session, message: dict[str, Any]) -> None:
    desk = Desk(session)
    with pytest.raises(MessageError):
        desk.listing.ask(message)
    assert desk.sent == []


def test_a_closed_list_is_silent(session: al.Session) -> None:
    held: list[Callable[[], None]] = []
    desk = Desk(session, held.append)
    desk.listing.ask({"list": "x", "of": points("label"), "start": 0})
    desk.listing.close()
    held[0]()
    assert desk.sent == []
