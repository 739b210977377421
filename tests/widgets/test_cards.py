"""The cards' half of the conversation, without a browser."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import alwidgets as al
from alwidgets.errors import StoreError
from alwidgets.schema import Switch
from alwidgets.widgets.cards import Cards

Message = dict[str, Any]
#: Messages that follow others, or come by themselves.
ASIDE = ("status", "words", "queue")
AT = "2026-03-01T09:30:00.000Z"


class Page:
    """Stands where the browser is: keeps what arrives, and sends."""

    def __init__(self, session: al.Session) -> None:
        self.session = session
        self.cards = Cards(session)
        self.received: list[tuple[Message, list[bytes]]] = []
        self.cards.send = self._receive

    def _receive(self, message: Message, buffers: list[bytes] | None = None) -> None:
        self.received.append((message, buffers or []))

    def send(self, message: object) -> list[Message]:
        """Send a message and return what came back."""
        self.received.clear()
        self.cards._on_message(None, message, [])
        return [m for m, _ in self.received]

    def ask(self, message: object) -> Message:
        """Send a message and return its answer; how things stand may come at any time."""
        self.send(message)
        end = time.monotonic() + 30
        while not (answers := [m for m, _ in self.received if m["type"] not in ASIDE]):
            assert time.monotonic() < end, f"{message} was not answered"
            time.sleep(0.005)
        (answer,) = answers
        return answer

    def of(self, kind: str) -> list[Message]:
        return [m for m, _ in self.received if m["type"] == kind]

    def acked(self) -> list[str]:
        return [event_id for ack in self.of("ack") for event_id in ack["event_ids"]]

    def answer(self, item_id: str, event_id: str, /, **changes: Any) -> list[Message]:
        event = {
            "event_id": event_id,
            "item_id": item_id,
            "kind": "answer",
            "answer": "ham",
            "target": None,
            "draw_id": None,
            "shown_at": AT,
            "answered_at": AT,
        }
        return self.send({"type": "events", "events": [event | changes]})


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Page]:
    pool = al.Pool.from_texts([f"message number {i}" for i in range(60)], ids=range(60))
    session = al.Session(
        pool,
        al.Classification(["ham", "spam"]),
        tmp_path / "labels.db",
        batch_size=10,
        executor=al.InlineExecutor(),
    )
    page = Page(session)
    yield page
    page.cards.close()
    session.close()


def test_hello_is_answered_with_the_next_cards_and_how_things_stand(page: Page) -> None:
    queue, status = page.send({"type": "hello"})
    assert [c["item_id"] for c in queue["cards"]] == [i.id for i in page.session.next(20)]
    assert queue["cards"][0]["content"]["text"].startswith("message number")
    assert (status["labelled"], status["total"]) == (0, 60)
    assert status["saved_to"].endswith("labels.db")


def test_the_page_holds_as_many_cards_as_it_was_told(tmp_path: Path) -> None:
    pool = al.Pool.from_texts([f"message number {i}" for i in range(500)], ids=range(500))
    task = al.Classification(["ham", "spam"])
    executor = al.InlineExecutor()
    session = al.Session(pool, task, tmp_path / "labels.db", ready=200, executor=executor)
    page = Page(session)
    queue, _ = page.send({"type": "hello"})
    held = [card["item_id"] for card in queue["cards"]]
    assert len(set(held)) == 200
    for n, item_id in enumerate(held):  # the kernel slept: all come at once
        page.answer(item_id, f"e{n}")
    assert session.progress()["labelled"] == 200
    page.cards.close()
    session.close()


def test_images_travel_as_buffers() -> None:
    images = np.random.default_rng(0).integers(0, 255, (30, 8, 8), dtype=np.uint8)
    session = al.Session(al.Pool.from_images(images), al.Classification(["0", "1"]))
    page = Page(session)
    session.next(20)
    page.send({"type": "hello"})
    message, buffers = next((m, b) for m, b in page.received if m["type"] == "queue")
    for card in message["cards"]:
        content = card["content"]
        assert (content["width"], content["height"], content["mime"]) == (8, 8, "image/png")
        index = session.pool.index(card["item_id"])
        assert buffers[content["buffer"]] == session.pool.contents[index].data  # type: ignore[union-attr]
    page.cards.close()
    session.close()


def test_it_acknowledges_after_the_commit_and_not_before(
    page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []
    append = page.session.store.append

    def slow(events: Any) -> Any:
        fresh = append(events)
        order.append("committed")
        return fresh

    monkeypatch.setattr(page.session.store, "append", slow)
    receive = page._receive
    page.cards.send = lambda m, b=None: (order.append(m["type"]), receive(m, b))
    page.answer("3", "e1")
    assert order.index("committed") < order.index("ack")
    assert page.acked() == ["e1"]
    assert page.session.labels().loc["3", "answer"] == "ham"


def test_a_doubled_event_is_acknowledged_again_and_stored_once(page: Page) -> None:
    page.answer("3", "e1")
    page.answer("3", "e1")
    assert page.acked() == ["e1"]
    assert len(page.session.store.events()) == 1


def test_an_ack_names_the_items_of_new_answers_alone(page: Page) -> None:
    def acked() -> Any:
        (ack,) = page.of("ack")
        return ack["event_ids"], ack["items"]

    page.answer("3", "e1")
    assert acked() == (["e1"], {"e1": "3"})
    page.answer("3", "e1")  # another page shows the card again by now, perhaps
    assert acked() == (["e1"], {})
    page.answer("4", "e2", kind="flag", answer=None)
    assert acked() == (["e2"], {})
    page.answer("5", "e3", kind="skip", answer=None)
    assert acked() == (["e3"], {"e3": "5"})


def test_an_undo_on_one_page_brings_the_card_to_the_others(page: Page) -> None:
    page.answer("3", "e1")
    page.answer("3", "r1", kind="retract", answer=None, target="e1")
    (undone,) = page.of("undone")
    assert (undone["event_id"], undone["card"]["item_id"]) == ("e1", "3")


def test_undo_from_the_page(page: Page) -> None:
    page.answer("3", "e1")
    page.answer("3", "e2", kind="retract", answer=None, target="e1")
    assert page.session.labels().empty
    assert page.of("ack")


def test_undo_from_python_brings_the_card_to_the_page(page: Page) -> None:
    page.answer("3", "e1")
    page.received.clear()
    page.session.undo()
    (undone,) = page.of("undone")
    assert undone["event_id"] == "e1"
    assert undone["card"]["item_id"] == "3"


def test_undo_of_what_was_done_before_this_page(page: Page) -> None:
    page.session.record("3", "ham")
    page.send({"type": "undo"})
    assert page.of("undone")[0]["card"]["item_id"] == "3"
    page.send({"type": "undo"})
    assert page.of("status")[0]["notice"] == "There is nothing to take back."


def test_what_is_labelled_elsewhere_is_told_and_what_is_labelled_here_is_not(page: Page) -> None:
    page.answer("3", "e1")
    assert page.of("labelled") == []
    page.received.clear()
    page.session.record("4", "ham")
    page.session.skip("5")
    page.session.flag("6")
    assert [m["item_id"] for m in page.of("labelled")] == ["4", "5"]


def test_a_flag_from_elsewhere_is_on_the_card_and_its_undo_moves_no_card(page: Page) -> None:
    item = page.session.next()[0]
    flag = page.session.flag(item.id)
    page.send({"type": "hello"})
    assert page.of("queue")[0]["cards"][0]["flag"] == flag.event_id
    page.received.clear()
    page.session.undo()
    assert page.of("undone") == []


def test_a_comment_taken_back_moves_no_card(page: Page) -> None:
    item = page.session.next(5)[3]
    remark = page.session.comment(item.id, "blurred")
    page.received.clear()
    page.session.retract(remark.event_id)
    page.answer(item.id, "c1", kind="comment", answer=None, comment="dark")
    page.answer(item.id, "r1", kind="retract", answer=None, target="c1")
    assert page.acked() == ["r1"]
    assert page.of("undone") == []


def test_a_retract_that_overtakes_its_answer(page: Page) -> None:
    page.answer("3", "e2", kind="retract", answer=None, target="e1")
    page.answer("3", "e1")
    assert page.session.labels().empty


def test_a_retract_on_another_item_in_one_message_is_refused_alone(page: Page) -> None:
    of = {"answer": "ham", "target": None, "shown_at": AT, "answered_at": AT}
    answer = of | {"event_id": "e1", "item_id": "3", "kind": "answer"}
    other = of | {"event_id": "r1", "item_id": "4", "kind": "retract", "target": "e1"}
    own = of | {"event_id": "r2", "item_id": "3", "kind": "retract", "target": "e1"}
    page.send({"type": "events", "events": [other | {"answer": None}, answer]})
    (refused,) = page.of("refused")
    assert (refused["event_id"], page.acked()) == ("r1", ["e1"])
    assert page.session.labels().index.tolist() == ["3"]
    page.send({"type": "events", "events": [own | {"answer": None}, answer]})
    assert page.acked() == ["r2", "e1"]
    assert page.session.labels().empty


def test_a_full_batch_brings_new_cards(page: Page) -> None:
    page.send({"type": "hello"})
    cards = page.of("queue")[0]["cards"]
    for n, card in enumerate(cards[:10]):
        page.answer(card["item_id"], f"e{n}", answer=["ham", "spam"][n % 2])
    assert page.session.version == 1
    page.send({"type": "more"})
    queue = page.of("queue")[-1]
    assert queue["model_version"] == 1
    shown = {c["item_id"]: c for c in queue["cards"]}
    assert not shown.keys() & {c["item_id"] for c in cards[:10]}
    assert any(c["suggestion"] for c in shown.values())
    assert all(c["suggestion"] is None for c in shown.values() if c["stream"] == "audit")


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"item_id": "zz"}, "no item 'zz'"),
        ({"answer": "eggs"}, "'eggs' is no class"),
        ({"answer": None}, "holds no answer"),
        ({"kind": "shout"}, "'shout' is not known"),
        ({"kind": "retract", "answer": None}, "names its target"),
        ({"target": "e0"}, "names its target"),
        ({"answered_at": "yesterday"}, "no ISO 8601 time"),
        ({"answered_at": "0001-01-01T00:00:00+01:00"}, "outside the years 1 to 9999"),
        ({"shown_at": "9999-12-31T23:00:00-02:00"}, "outside the years 1 to 9999"),
        ({"answered_at": 5}, "answered_at must be a text"),
        ({"draw_id": "x" * 65}, "draw_id must be a text of 1 to 64"),
        ({"answer": "x" * 20_000}, "longer than 10,000"),
        ({"draw_id": "half \ud83d"}, "draw_id is no text that can be kept"),
        ({"bulk": "x" * 65}, "bulk must be a text of 1 to 64"),
        ({"bulk": 7}, "bulk must be a text of 1 to 64"),
        ({"bulk": "\0"}, "bulk is no text that can be kept"),
        ({"comment": "hm"}, "comment event, and no other, holds a comment"),
        ({"kind": "comment"}, "comment event, and no other, holds a comment"),
        ({"kind": "comment", "comment": ["hm"]}, "comment must be a text, not list"),
        ({"kind": "comment", "comment": "x" * 10_001}, "at most 10,000"),
        ({"kind": "comment", "comment": "\ud83d"}, "no database can keep"),
    ],
)
def test_a_bad_event_is_refused_by_name_and_the_others_are_kept(
    page: Page, changes: Message, says: str
) -> None:
    page.answer("3", "bad", **changes)
    (refused,) = page.of("refused")
    assert refused["event_id"] == "bad"
    assert says in refused["reason"]
    assert page.of("ack") == []
    good = {"event_id": "good", "item_id": "4", "kind": "skip", "answered_at": AT}
    bad = good | {"event_id": "worse", "item_id": "zz"}
    page.send({"type": "events", "events": [bad, good]})
    assert page.acked() == ["good"]
    assert [e.event_id for e in page.session.store.events()] == ["good"]


@pytest.mark.parametrize(
    "message",
    [
        None,
        "hello",
        [],
        {},
        {"type": "shout"},
        {"type": ["hello"]},
        {"type": "events"},
        {"type": "events", "events": "all"},
        {"type": "events", "events": [1]},
        {"type": "events", "events": [{}] * 1_001},
        {"type": "together"},
        {"type": "together", "search": ""},
        {"type": "together", "search": "x" * 1_001},
        {"type": "together", "search": ["prize"]},
        {"type": "earlier", "before": "now"},
        {"type": "earlier", "before": -1},
        {"type": "earlier", "before": True},
        {"type": "earlier", "before": 2**63},
        {"type": "show"},
        {"type": "show", "item_id": 3},
        {"type": "show", "item_id": "nobody"},
        {"type": "show", "item_id": "3"},  # it has no answer
    ],
)
def test_a_malformed_message_is_refused(page: Page, message: object) -> None:
    refused = page.ask(message)
    assert refused["type"] == "refused"
    assert refused["event_id"] is None
    assert page.session.store.events() == []


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)
FIELDS = (
    "event_id",
    "item_id",
    "kind",
    "answer",
    "target",
    "draw_id",
    "shown_at",
    "answered_at",
    "comment",
    "bulk",
)
VALUES = ["3", "ham", "answer", "comment", "retract", AT]


@settings(
    max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(
    st.lists(
        st.fixed_dictionaries({}, optional={f: JSON | st.sampled_from(VALUES) for f in FIELDS}),
        max_size=4,
    )
)
def test_no_message_breaks_it_and_only_whole_events_are_stored(page: Page, events: Any) -> None:
    page.send({"type": "events", "events": events})
    assert not page.of("problem")
    for event in page.session.store.events():
        assert event.item_id in page.session.pool
        assert event.kind != "answer" or event.answer in ("ham", "spam")
        assert (event.kind == "comment") == isinstance(event.comment, str)
    assert page.send({"type": "hello"})


@settings(
    max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(
    st.fixed_dictionaries(
        {"type": st.sampled_from(["together", "earlier", "show"])},
        optional={
            name: JSON | st.sampled_from(["3", "number", 2**70])
            for name in ("search", "before", "item_id")
        },
    )
)
def test_no_question_breaks_it_or_stores_an_event(page: Page, message: Message) -> None:
    answer = page.ask(message)
    assert answer["type"] in (message["type"], "refused", "problem")
    assert page.session.store.events() == []
    assert "Error" not in answer.get("text", "")
    assert page.send({"type": "hello"})


def test_what_cannot_be_stored_is_not_acknowledged(
    page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(events: Any) -> Any:
        raise StoreError("The disk is full.")

    monkeypatch.setattr(page.session.store, "append", full)
    page.answer("3", "e1")
    assert page.of("ack") == []
    assert page.of("problem")[0]["text"] == "The disk is full."
    monkeypatch.undo()
    page.answer("3", "e1")
    assert page.of("ack")


def test_an_error_of_the_learner_reaches_the_page(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken(al.HeadEnsemble):
        def fit(self, X: Any, y: Any, *, classes: int | None = None) -> Any:
            raise MemoryError("no room")

    pool = al.Pool.from_texts([f"message number {i}" for i in range(60)], ids=range(60))
    session = al.Session(
        pool,
        al.Classification(["ham", "spam"]),
        learner=Broken(),
        batch_size=4,
        executor=al.InlineExecutor(),
    )
    page = Page(session)
    for n, item in enumerate(session.next(8)):
        page.answer(item.id, f"e{n}", answer=["ham", "spam"][n % 2])
    page.send({"type": "hello"})
    assert page.of("status")[0]["error"] == "Retraining failed. MemoryError: no room."
    assert len(session.labels()) == 8
    page.cards.close()
    session.close()


def test_an_older_status_never_overtakes_a_newer_one(
    page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that was worked out before the training ended is not sent after the end was told."""
    looked, go, progress = threading.Event(), threading.Event(), page.session.progress

    def slow() -> dict[str, int]:
        if threading.current_thread() is slow_thread:
            looked.set()
            go.wait(0.2)
        return progress()

    monkeypatch.setattr(page.session, "progress", slow)
    slow_thread = threading.Thread(target=page.cards._send_status, args=("older",))
    slow_thread.start()
    assert looked.wait(10)
    page.cards._send_status("newer")
    slow_thread.join()
    assert [m["notice"] for m in page.of("status")][-2:] == ["older", "newer"]


def test_a_closed_session_tells_the_page(page: Page) -> None:
    page.session.close("It was replaced.")
    (problem,) = page.of("problem")
    assert "It was replaced." in problem["text"]
    page.answer("3", "e1")
    assert page.of("ack") == []
    assert "closed" in page.of("problem")[0]["text"]


def test_a_class_that_is_added_reaches_the_page(page: Page) -> None:
    page.session.add_class("eggs")
    assert page.cards._task["classes"] == ["ham", "spam", "eggs"]


def test_why_a_card_is_there(page: Page) -> None:
    assert page.send({"type": "why", "item_id": "nobody"}) == []
    refused = page.ask({"type": "why"})
    assert "item_id must be a text" in refused["reason"]
    session = page.session
    first = session.next()[0]
    reasons = page.ask({"type": "why", "item_id": first.id})
    assert reasons["neighbours"] == []
    for item in session.next(30):
        session.record(item.id, "spam" if item.index % 2 else "ham")
    item = next(i for i in session.next(20) if i.stream == "train")
    session.retrain()  # the card stays on screen, though others wait now
    reasons = page.ask({"type": "why", "item_id": item.id, "draw_id": item.draw_id})
    rank, of = reasons["rank"]
    assert 1 <= rank <= of
    alike = reasons["neighbours"]
    assert len(alike) == 3
    similarity = [n["similarity"] for n in alike]
    assert similarity == sorted(similarity, reverse=True)
    X = session.pool.features
    labels = session.labels()
    for like in alike:
        row = X[session.pool.index(like["item_id"])]
        cosine = row @ X[item.index] / np.linalg.norm(row) / np.linalg.norm(X[item.index])
        assert like["similarity"] == pytest.approx(cosine, abs=1e-5)
        assert like["answer"] == labels.loc[like["item_id"], "answer"]
        assert labels.loc[like["item_id"], "use"] == "train"
        assert like["text"] == f"message number {like['item_id']}"


def test_the_words_that_drive_a_suggestion_follow(page: Page) -> None:
    session = page.session
    for item in session.next(30):
        session.record(item.id, "spam" if item.index % 2 else "ham")
    session.retrain()
    item = next(i for i in session.next(20) if i.suggestion is not None)
    page.send({"type": "why", "item_id": item.id})
    end = time.monotonic() + 30
    while not page.of("words") and time.monotonic() < end:
        time.sleep(0.01)
    (words,) = page.of("words")
    assert words["item_id"] == item.id
    text = f"message number {item.id}"
    assert {text[a:b] for a, b, _ in words["marks"]} <= set(text.split())
    assert max(abs(weight) for *_, weight in words["marks"]) == 1.0


def test_why_tells_no_labels_beside_an_audit_card(page: Page) -> None:
    session = page.session
    for _ in range(20):
        item = session.next()[0]
        session.record(item.id, "ham" if item.index % 2 else "spam")
    audit = next(i for i in session.next(20) if i.stream == "audit")
    reasons = page.ask({"type": "why", "item_id": audit.id})
    assert (reasons["neighbours"], reasons["rank"]) == ([], None)


def test_classes_are_changed_from_the_page(page: Page) -> None:
    assert page.answer("3", "e1")
    page.send({"type": "classes", "what": "add", "name": "eggs", "to": None})
    page.send({"type": "classes", "what": "rename", "name": "ham", "to": "news"})
    page.send({"type": "classes", "what": "merge", "name": "spam", "to": "eggs"})
    assert page.cards._task["classes"] == ["news", "eggs"]
    assert page.cards._task["codes"] == [0, 2]
    assert page.of("queue")
    assert page.session.labels().loc["3", "answer"] == "news"
    page.answer("4", "e2", answer="ham")  # from before it had its new name
    assert page.session.labels().loc["4", "answer"] == "news"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"what": "burn", "name": "ham"}, "'burn' of the classes is not known"),
        ({"what": "add", "name": 7}, "name must be a text"),
        ({"what": "add", "name": "x" * 1001}, "name must be a text"),
        ({"what": "rename", "name": "ham"}, "to must be a text"),
        ({"what": "rename", "name": "eggs", "to": "x"}, "'eggs' is no class"),
        ({"what": "add", "name": "ham"}, "a class 'ham' already"),
        ({"what": "merge", "name": "ham", "to": "spam"}, "One class alone would be left"),
    ],
)
def test_a_change_of_the_classes_that_cannot_be_is_refused(
    page: Page, change: Message, says: str
) -> None:
    refused = page.ask({"type": "classes", **change})
    assert refused["type"] == "refused"
    assert says in refused["reason"]
    assert page.session.task.classes == ("ham", "spam")
    assert page.session.store.class_changes() == []


def test_what_the_notebook_saves_stays_small(page: Page) -> None:
    page.send({"type": "hello"})
    state = page.cards.get_state()
    held = {k: v for k, v in state.items() if k not in ("_esm", "_css")}
    assert len(repr(held)) < 2_000


def test_after_closing_nothing_listens(page: Page) -> None:
    counts = {name: len(v) for name, v in page.session._signals._listeners.items()}
    assert any(counts.values())
    page.cards.close()
    assert not any(len(v) for v in page.session._signals._listeners.values())


def test_many_views_on_one_session(page: Page) -> None:
    other = Page(page.session)
    page.answer("3", "e1")
    other.answer("3", "e2", answer="spam")
    assert page.session.labels().loc["3", "answer"] == "spam"
    other.cards.close()


def test_the_cards_have_words_for_every_strategy() -> None:
    source = (Path(__file__).parents[2] / "js/src/cards/why.ts").read_text(encoding="utf-8")
    known = set(re.findall(r"^  (\w+): \"", source, flags=re.MULTILINE))
    assert known == set(al.strategies.names()) - {al.strategies.AUTO}


def test_another_strategy_is_announced_once_the_first_labels_are_there(page: Page) -> None:
    page.session._signals.emit("switch", Switch("representative", "margin", "unsure", 1, 20))
    assert not page.received
    page.session._signals.emit("switch", Switch("margin", "random", "it does better", 4, 80))
    (status,) = page.of("status")
    assert status["notice"] == "Next cards by random: it does better."


def test_an_item_of_any_name_is_labelled() -> None:
    name = "nought \0 <b>"
    pool = al.Pool.from_texts(["one", "two"], ids=[name, "other"])
    session = al.Session(pool, al.Classification(["ham", "spam"]), audit=0)
    page = Page(session)
    page.answer(name, "e1")
    assert page.of("refused") == []
    assert session.labels().loc[name, "answer"] == "ham"
    page.cards.close()
    session.close()
