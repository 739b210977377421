"""The diagnostics: their messages, and what they say where there is little to say."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, get_args, get_type_hints

import numpy as np
import pandas as pd
import pytest

import alwidgets as al
from alwidgets.diagnosing import REGION
from alwidgets.evaluation import reliability
from alwidgets.evaluation.reliability import Temperature
from alwidgets.projection import Map, shared_map
from alwidgets.widgets import tabs, verdicts
from alwidgets.widgets.diagnostics import KEPT, Diagnostics
from alwidgets.widgets.tabs import TABS, parse_look, parse_place
from tests.widgets.shapes import fits

EXAMPLES = sorted((Path(__file__).parents[2] / "js/fixtures/messages").glob("diagnostics_*.json"))
SENT = {get_args(get_type_hints(m)["type"])[0]: m for m in get_args(tabs.ToDiagnostics)}
FIGURES = {get_args(get_type_hints(m)["tab"])[0]: m for m in get_args(tabs.Figures)}

N, NAMES = 200, ["ham", "spam", "news"]
RNG = np.random.default_rng(0)
TRUTH = RNG.integers(0, 3, N)
X = (1.5 * np.eye(3, 6)[TRUTH] + RNG.normal(size=(N, 6))).astype(np.float32)
MANY = [f"a class with the long name number {k}" for k in range(40)]
TEXTS = [f"Message {k} is {NAMES[code]}." for k, code in enumerate(TRUTH)]
LENGTHS = RNG.permutation(N).tolist()


def make(task: Any = None, **options: Any) -> al.Session:
    metadata = {"odd": [k % 2 == 1 for k in range(N)], "length": LENGTHS}
    pool = al.Pool.from_arrays(X, content=TEXTS, ids=range(N), metadata=metadata)
    given = {"batch_size": 20, "audit": 0.4, "executor": al.InlineExecutor()} | options
    return al.Session(pool, task or al.Classification(NAMES), **given)


def label(session: al.Session, n: int, answer: Callable[[int], Any] | None = None) -> None:
    for _ in range(n):
        item = session.next()[0]
        session.record(item.id, answer(item.index) if answer else NAMES[TRUTH[item.index]])


class Recorder(Diagnostics):
    """Keeps what it sends, in the place of a browser; works things out at once, or when told."""

    def __init__(
        self,
        session: al.Session,
        run: Callable[[Callable[[], None]], None] = lambda work: work(),
    ) -> None:
        self.sent: list[dict[str, Any]] = []
        super().__init__(session, run=run)

    def send(self, content: Any, buffers: Any = None) -> None:
        message = json.loads(json.dumps(content, allow_nan=False))
        assert fits(message, SENT[message["type"]]), message
        if message["type"] == "tab" and message["figures"]:
            assert fits(message["figures"], FIGURES[message["tab"]]), message["figures"]
        self.sent.append(message)

    def ask(self, tab: str, of: str = "audit", **more: Any) -> dict[str, Any]:
        """What comes back where a tab is looked at."""
        look = {"type": "look", "tab": tab, "of": of, "version": None, "other": None} | more
        self._handle_custom_msg(look, [])
        return self.answer

    def select(self, tab: str, *place: int) -> dict[str, Any]:
        """What comes back where a place on what this tab showed last is pressed."""
        shown = [m["edition"] for m in self.sent if m["type"] == "tab" and m["tab"] == tab]
        return self.press(tab, shown[-1], *place)

    def press(self, tab: str, edition: int, *place: int) -> dict[str, Any]:
        press = {"type": "select", "tab": tab, "edition": edition, "place": list(place)}
        self._handle_custom_msg(press, [])
        return self.answer

    @property
    def answer(self) -> dict[str, Any]:
        """What came last but that there is more to know, which comes at any time."""
        return [message for message in self.sent if message["type"] != "changed"][-1]


@pytest.fixture(scope="module")
def labelled() -> Iterator[al.Session]:
    with closing(make()) as session:
        label(session, 130)
        yield session


@pytest.fixture
def view(labelled: al.Session) -> Iterator[Recorder]:
    made = Recorder(labelled)
    yield made
    made.close()


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: p.stem)
def test_example(path: Path) -> None:
    example = json.loads(path.read_text(encoding="utf-8"))
    message = example["message"]
    if example["direction"] == "to_browser":
        assert fits(message, SENT[message["type"]])
        if message["type"] == "tab" and message["figures"] is not None:
            assert fits(message["figures"], FIGURES[message["tab"]])
    elif message["type"] == "look":
        wanted = parse_look(message)
        assert (wanted.tab, wanted.of) == (message["tab"], message["of"])
        assert (wanted.version, wanted.other) == (message["version"], message["other"])
    else:
        assert parse_place(message) == (message["tab"], message["edition"], message["place"])


def test_every_message_has_an_example() -> None:
    examples = [json.loads(p.read_text(encoding="utf-8"))["message"] for p in EXAMPLES]
    assert {m["type"] for m in examples} == {*SENT, "look", "select"}
    assert {m["tab"] for m in examples if m["type"] == "tab" and m["figures"]} == set(TABS)


# ------------------------------------------------------------------ with labels


@pytest.mark.parametrize("tab", TABS)
def test_every_tab_is_answered_from_the_audit(view: Recorder, tab: str) -> None:
    found = view.ask(tab)
    assert found["figures"]["tab"] == tab
    n = view._session.progress()["audit"]
    assert found["about"].startswith(f"From {n} audit labels, drawn at random")
    assert not found["biased"]


def test_what_only_the_audit_tells_is_not_told_from_training_labels(view: Recorder) -> None:
    for tab in TABS:
        found = view.ask(tab, "train")
        trained = tab in tabs.TRAINABLE
        assert (found["of"], found["biased"]) == (("train", True) if trained else ("audit", False))
        assert ("Biased" in found["about"]) == trained


def test_the_cells_are_the_confusion(view: Recorder) -> None:
    figures, confusion = view.ask("confusion")["figures"], view._session.confusion()
    counts = np.zeros((3, 3), dtype=int)
    for cell in figures["cells"]:
        counts[cell["row"], cell["column"]] = cell["count"]
        rate = confusion.rates.value[cell["row"], cell["column"]]
        assert cell["rate"]["value"] == pytest.approx(rate, abs=1e-6)
        assert cell["rate"]["n"] == figures["totals"][cell["row"]]
    assert (counts == confusion.counts).all()
    assert figures["totals"] == counts.sum(axis=1).tolist()
    wrong = [figures["cells"][k] for k in figures["mistakes"]]
    assert all(cell["row"] != cell["column"] for cell in wrong)


def test_a_cell_becomes_the_selection(view: Recorder) -> None:
    session, figures = view._session, view.ask("confusion")["figures"]
    told: list[Any] = []
    unsubscribe = session.on("selection", lambda _, origin: told.append(origin))
    for cell in figures["cells"]:
        answer = view.select("confusion", cell["row"], cell["column"])
        assert (answer["type"], answer["count"]) == ("selected", cell["count"])
        table = session.hardest(None)
        both = (table["answer"] == NAMES[cell["row"]]) & (
            table["predicted"] == NAMES[cell["column"]]
        )
        assert set(session.selection.ids) == set(table.index[both])
        assert "cards" not in answer["text"]  # all of them have an answer
    assert session.selection.source == "diagnostics"
    assert told == [view] * len(figures["cells"])
    unsubscribe()


def test_the_figures_of_the_classes_are_the_estimates(view: Recorder) -> None:
    figures = view.ask("classes")["figures"]
    for metric in ("precision", "recall", "f1"):
        table = view._session.estimate(metric, by="class")
        for row in figures["classes"]:
            one = table.loc[row["name"]]
            ends = [row[metric][key] for key in ("value", "low", "high")]
            assert ends == pytest.approx([one["value"], one["low"], one["high"]], abs=1e-6)
        overall = view._session.estimate(metric)
        assert figures["all"][metric]["value"] == pytest.approx(overall.value, abs=1e-6)
    trained = view.ask("classes", "train")["figures"]["classes"][0]
    assert trained["recall"]["value"] is not None
    assert trained["recall"]["low"] is None


def test_a_slice_and_an_item_and_what_flipped_become_the_selection(view: Recorder) -> None:
    session = view._session
    slices = view.ask("slices")["figures"]["slices"]
    odd = next(k for k, row in enumerate(slices) if row["part"] == "True")
    answer = view.select("slices", odd)
    assert answer["count"] == N // 2
    assert "the cards can take them next" in answer["text"]
    assert session.selection.ids == [str(k) for k in range(1, N, 2)]
    items = view.ask("items")["figures"]["items"]
    assert [row["item_id"] for row in items] == list(session.hardest(100).index)
    assert items[0]["content"] == {"kind": "text", "text": TEXTS[items[0]["index"]]}
    view.select("items", 2, 0)
    assert session.selection.ids == [items[2]["item_id"], items[0]["item_id"]]
    rounds = view.ask("rounds", version=1, other=session.version)["figures"]
    assert (rounds["version"], rounds["other"]) == (1, session.version)
    flipped = session.flipped(1, session.version)
    assert rounds["flipped"] == len(flipped) == sum(way["count"] for way in rounds["flips"])
    view.select("rounds")
    assert session.selection.ids == list(flipped.index)
    assert view.select("rounds", 0)["count"] == rounds["flips"][0]["count"]
    assert len(session.selection) == rounds["flips"][0]["count"]


def test_messages_that_make_no_sense_are_refused(view: Recorder) -> None:
    for message in (
        None,
        {},
        {"type": "draw"},
        {"type": "look", "tab": "confusion"},
        {"type": "look", "tab": "maps", "of": "audit"},
        {"type": "look", "tab": "rounds", "of": "audit", "version": True, "other": None},
        {
            "type": "select",
            "tab": "confusion",
            "edition": 1,
            "place": [0, 0],
        },  # nothing is shown yet
        {"type": "select", "tab": "confusion", "place": "all"},
        {"type": "select", "tab": "confusion", "place": [-1, 0]},
    ):
        view._handle_custom_msg(message, [])
        assert view.answer["type"] == "problem", message
        view.sent.clear()
    view.ask("confusion")
    view.ask("slices")
    view.ask("classes")
    assert "changed meanwhile" in view.press("confusion", 99, 0, 0)["text"]
    for tab, place in (("confusion", [0]), ("slices", [999]), ("classes", [0])):
        assert view.select(tab, *place)["type"] == "problem"
    assert view.select("confusion", 7, 7)["count"] == 0


def test_a_press_means_what_its_page_shows(view: Recorder) -> None:
    audit = view.ask("confusion")
    train = view.ask("confusion", "train")
    assert audit["edition"] != train["edition"]
    for found in (audit, train):
        cell = found["figures"]["cells"][0]
        pressed = view.press("confusion", found["edition"], cell["row"], cell["column"])
        assert pressed["count"] == cell["count"]


def test_a_press_means_the_cuts_that_its_page_shows() -> None:
    with closing(make()) as session, closing(Recorder(session)) as view:
        label(session, 80)
        shown = view.ask("slices")
        rows = {k: row["part"] for k, row in enumerate(shown["figures"]["slices"])}
        ranges = {k: part for k, part in rows.items() if " to " in part}
        before = {k: session.slice_items("length", part) for k, part in ranges.items()}
        assert len(before) == 4
        label(session, 60)
        now = session.worst_slices()["part"].to_list()
        assert not set(ranges.values()) <= set(now)  # those of more audit items are others
        for k, items in before.items():
            assert view.press("slices", shown["edition"], k)["count"] == len(items)
            assert session.selection.positions.tolist() == items.tolist()


def test_a_press_keeps_no_message_waiting_and_the_newest_counts(labelled: al.Session) -> None:
    waiting: list[Callable[[], None]] = []
    with closing(Recorder(labelled, waiting.append)) as view:
        view._handle_custom_msg({"type": "look", "tab": "slices", "of": "audit"}, [])
        waiting.pop()()
        shown = view.answer
        labelled.selection.clear()
        view.sent.clear()
        for k in range(3):
            press = {"type": "select", "tab": "slices", "edition": shown["edition"], "place": [k]}
            view._handle_custom_msg(press, [])
        assert view.sent == []
        assert len(labelled.selection) == 0
        (work,) = waiting
        work()
        part = shown["figures"]["slices"][2]
        expected = labelled.slice_items(part["by"], part["part"])
        assert [message["type"] for message in view.sent] == ["selected"]
        assert labelled.selection.positions.tolist() == expected.tolist()


def test_a_press_takes_nothing_that_was_selected_meanwhile(labelled: al.Session) -> None:
    waiting: list[Callable[[], None]] = []
    with closing(Recorder(labelled, waiting.append)) as view:
        view._handle_custom_msg({"type": "look", "tab": "slices", "of": "audit"}, [])
        waiting.pop()()
        press = {"type": "select", "tab": "slices", "edition": view.answer["edition"]}
        view.sent.clear()
        view._handle_custom_msg(press | {"place": [0]}, [])
        labelled.selection.set([3], source="map")
        waiting.pop()()
        assert labelled.selection.positions.tolist() == [3]
        assert "selected meanwhile" in view.sent[-1]["text"]
        # What the view itself selected meanwhile is no hindrance.
        view._handle_custom_msg(press | {"place": [0]}, [])
        first = waiting.pop()
        view._handle_custom_msg(press | {"place": [1]}, [])
        first()
        assert view.sent[-1]["type"] == "selected"
        view._handle_custom_msg(press | {"place": [2]}, [])
        work, before = waiting.pop(), labelled.selection.positions
    work()  # the view is closed
    assert labelled.selection.positions is before


def test_a_press_that_fails_is_told(labelled: al.Session) -> None:
    with closing(Recorder(labelled)) as view:
        edition = view.ask("slices")["edition"]
        view._session = Failing(labelled, "label_codes")
        answer = view.press("slices", edition, 0)
        assert answer["text"] == "That could not be done: RuntimeError: the accelerator is gone"
        view._session = labelled
        assert view.press("slices", edition, 0)["type"] == "selected"


def test_of_many_pages_some_are_kept(view: Recorder) -> None:
    session = view._session
    confusion = view.ask("confusion")
    versions = [record.version for record in session.rounds]
    pairs = [(a, b) for a in versions for b in versions if a != b]
    assert len(pairs) > KEPT
    pages = [view.ask("rounds", version=a, other=b) for a, b in pairs]
    assert sum(map(len, view._shown.values())) == KEPT + 1
    assert "changed meanwhile" in view.press("rounds", pages[0]["edition"])["text"]
    assert view.press("rounds", pages[-1]["edition"])["count"] == pages[-1]["figures"]["flipped"]
    cell = confusion["figures"]["cells"][0]
    pressed = view.press("confusion", confusion["edition"], cell["row"], cell["column"])
    assert pressed["count"] == cell["count"]


def test_only_the_items_compared_are_counted(view: Recorder) -> None:
    session = view._session
    untold = session.reserved.sum() - session.progress()["audit"]
    words = view.ask("rounds", version=session.version, other=1)["figures"]["words"]
    assert untold > 0
    assert f"of {N - untold:,} items" in words[-1]


# ------------------------------------------------------------------ with little


def texts_of(session: al.Session) -> dict[str, str]:
    """What each tab says in the place of figures."""
    with closing(Recorder(session)) as view:
        return {tab: view.ask(tab)["note"] or "" for tab in TABS}


def test_without_a_model_it_says_what_to_do() -> None:
    with closing(make()) as session:
        for note in texts_of(session).values():
            assert "no model yet: label items of at least two classes" in note


def test_without_audit_labels_it_says_so() -> None:
    with closing(make(audit=0)) as session:
        label(session, 25)
        notes = texts_of(session)
        assert "There is one round so far" in notes.pop("rounds")
        for note in notes.values():
            assert "Nothing is kept for the audit in this session (audit=0)" in note
    with closing(make(audit=0.05)) as session:
        rows = np.flatnonzero(~session.reserved)
        answers = [NAMES[TRUTH[k]] for k in rows]
        session.import_labels(pd.DataFrame({"item_id": rows.astype(str), "answer": answers}))
        session.retrain()
        notes = texts_of(session)
        assert "There is no audit label yet" in notes["confusion"]


def test_one_class_so_far_is_said_and_nothing_is_made_up() -> None:
    with closing(make(audit=0.02)) as session, closing(Recorder(session)) as view:
        reserved = np.flatnonzero(session.reserved)
        assert 0 < len(reserved) < 10
        label(session, 60, lambda k: "ham" if session.reserved[k] else NAMES[TRUTH[k]])
        found = view.ask("confusion")
        n = session.progress()["audit"]
        assert 0 < n < 10
        assert "All audit labels so far are “ham”" in found["note"]
        assert "so few tell little" in found["about"]
        classes = {row["name"]: row for row in view.ask("classes")["figures"]["classes"]}
        assert classes["news"]["recall"]["value"] is None
        assert "none of the" in classes["news"]["recall"]["why_not"]
        calibration = view.ask("calibration")["figures"]
        assert calibration["bins"] == []
        assert calibration["words"][0][0] == "Too few labels"
        slices = view.ask("slices")["figures"]["slices"]
        assert all(row["difference"]["value"] is None for row in slices)


def test_what_fails_is_said_and_the_view_goes_on(labelled: al.Session) -> None:
    with closing(Recorder(Failing(labelled, "judged"))) as view:  # type: ignore[arg-type]
        found = view.ask("confusion")
        assert found["figures"] is None
        assert "could not be worked out: RuntimeError: the accelerator is gone" in found["note"]
        assert view.ask("rounds")["figures"] is not None


class Failing:
    """A session one of whose methods fails."""

    def __init__(self, session: al.Session, method: str) -> None:
        self._session, self._method = session, method

    def __getattr__(self, name: str) -> Any:
        if name == self._method:
            raise RuntimeError("the accelerator is gone")
        return getattr(self._session, name)


@pytest.mark.parametrize(
    ("task", "answer"),
    [
        (al.Binary("spam"), lambda k: bool(TRUTH[k] == 1)),
        (al.MultiLabel(NAMES), lambda k: [NAMES[TRUTH[k]]] if k % 5 else []),
        (al.Classification(MANY), lambda k: MANY[k % 40]),
    ],
    ids=["two classes", "several labels", "40 classes"],
)
def test_other_tasks(task: Any, answer: Callable[[int], Any]) -> None:
    with closing(make(task, batch_size=40)) as session, closing(Recorder(session)) as view:
        label(session, 100, answer)
        for tab in TABS:
            assert view.ask(tab)["figures"] is not None, tab
        confusion = view.ask("confusion")["figures"]
        assert confusion["several"] == task.multilabel
        assert len(confusion["columns"]) == (2 if task.multilabel else len(task.classes))


# ------------------------------------------------------------------ as it goes on


def test_it_tells_that_there_is_more_to_know_and_works_out_nothing_unasked() -> None:
    with closing(make()) as session, closing(Recorder(session)) as view:
        label(session, 45)
        # How often depends on the time it takes; it is only told, and nothing is worked out.
        assert {message["type"] for message in view.sent} == {"changed"}
        before = sum(view.ask("confusion")["figures"]["totals"])
        label(session, 45)
        assert sum(view.ask("confusion")["figures"]["totals"]) > before


@pytest.mark.parametrize(
    ("change", "names"),
    [
        (lambda session: session.add_class("odd"), ["ham", "spam", "news", "odd"]),
        (lambda session: session.rename_class("news", "press"), ["ham", "spam", "press"]),
        (lambda session: session.merge_classes("news", "spam"), ["ham", "spam"]),
    ],
    ids=["added", "renamed", "merged"],
)
def test_changed_classes_are_worked_out_anew(
    change: Callable[[al.Session], None], names: list[str]
) -> None:
    with closing(make()) as session:
        label(session, 90)
        with closing(Recorder(session)) as view:
            for tab in TABS:
                view.ask(tab)
                view.ask(tab, "train")
            view.sent.clear()
            change(session)
            assert {"type": "changed", "closed": None} in view.sent
            for of in ("audit", "train"):
                for tab in TABS:
                    assert view.ask(tab, of)["figures"] is not None, tab
                figures = view.ask("confusion", of)["figures"]
                assert figures["rows"] == figures["columns"] == names
                classes = view.ask("classes", of)["figures"]["classes"]
                assert [row["name"] for row in classes] == names
                for item in view.ask("items", of)["figures"]["items"]:
                    assert {item["label"], item["prediction"]} <= set(names)
            rounds = view.ask("rounds", version=1, other=2)["figures"]
            assert {name for way in rounds["flips"] for name in (way["before"], way["after"])} <= {
                *names
            }


def test_classes_that_changed_a_moment_ago_are_those_of_the_answer() -> None:
    with closing(make()) as session, closing(Recorder(session)) as view:
        label(session, 90)
        view.ask("confusion")
        session._change_classes("rename", "news", "press")  # nobody was told yet
        assert view.ask("confusion")["figures"]["columns"] == ["ham", "spam", "press"]


def test_a_new_layout_has_other_regions_and_none_is_begun() -> None:
    with closing(make()) as session:
        label(session, 90)
        shown = shared_map(session)
        with closing(Recorder(session)) as view:
            before = {tab: view.ask(tab) for tab in TABS}
            assert not shown._started
            assert REGION not in {row["by"] for row in before["slices"]["figures"]["slices"]}
            view.sent.clear()
            for parts in (TRUTH == 0, np.arange(N) < 70):
                lay_out(shown, parts)
                assert {"type": "changed", "closed": None} in view.sent
                rows = view.ask("slices")["figures"]["slices"]
                regions = [k for k, row in enumerate(rows) if row["by"] == REGION]
                counts = [view.select("slices", k)["count"] for k in regions]
                assert sorted(counts) == sorted([parts.sum(), N - parts.sum()])
            assert not shown._started
            # What has nothing to do with the map is not worked out again.
            assert view.ask("confusion") == before["confusion"]
        assert shown._listeners == []


def lay_out(shown: Map, parts: Any) -> None:
    """Show a layout with two heaps."""
    rng = np.random.default_rng(0)
    heaps = np.where(parts[:, None], 0.8, -0.8) + rng.uniform(-0.05, 0.05, size=(N, 2))
    space = shown._spaces["features"]
    space.coords = heaps.astype(np.float32)
    shown._heard(space, "points")


def test_after_the_end_of_the_session_what_was_shown_stays() -> None:
    session = make()
    label(session, 90)
    view = Recorder(session)
    shown = view.ask("confusion")
    session.close()
    assert {"type": "changed", "closed": "It was closed."} in view.sent
    assert view.ask("confusion") == shown
    closed = "This session is closed. It was closed."
    assert view.ask("items")["note"] == view.ask("confusion", "train")["note"] == closed
    view.sent.clear()
    assert view.ask("confusion") == shown
    assert view.sent[-1] == {"type": "changed", "closed": "It was closed."}
    cell = shown["figures"]["cells"][0]
    pressed = view.press("confusion", shown["edition"], cell["row"], cell["column"])
    assert pressed["count"] == cell["count"]
    view.close()


def test_a_session_shows_it(labelled: al.Session) -> None:
    view = labelled.diagnostics(height=300)
    assert isinstance(view, Diagnostics)
    assert view.height == 300
    view.close()
    # Nobody listens any more.
    assert not any(view in map(_owner, found) for found in labelled._signals._listeners.values())
    assert view not in map(_owner, shared_map(labelled)._listeners)


def _owner(listener: Any) -> Any:
    return getattr(listener, "__self__", None)


# ------------------------------------------------------------------ in words


def test_calibration_in_words() -> None:
    rng = np.random.default_rng(0)
    n, q = 10_000, 1.0 / (10_000 - np.arange(300))
    sure = rng.uniform(0.5, 1.0, 300)
    words = {}
    for shift in (-0.25, 0.0, 0.25):
        right = rng.random(300) < np.clip(sure - shift, 0, 1)
        lines = verdicts.calibration(reliability(sure, right, q, n), Temperature(1.0, 0.8, 1.3))
        words[shift] = lines
        assert [title for title, _ in lines][2] == "Temperature 1.00 (0.80 to 1.30)"
    assert words[0.25][0][0] == "Too sure"
    assert words[-0.25][0][0] == "Too unsure"
    assert "below its accuracy by +" in words[-0.25][0][1]
    assert "may be chance" in words[0.0][0][1]
    assert "so this may be nothing" in words[0.0][1][1]
    assert "without what chance adds it is" in words[0.25][1][1]
    hot, cold, none = (
        verdicts._temperature(Temperature(*ends))
        for ends in ((1.2, 1.05, 1.4), (0.5, 0.3, 0.8), [float("nan")] * 3)
    )
    assert "a little too sure" in hot[1]
    assert "is too unsure" in cold[1]
    assert none[0] == "No temperature"


def test_a_comparison_in_words() -> None:
    estimate = al.evaluation.Estimate
    sure, maybe = (
        estimate(-0.05, -0.09, -0.01, 80, 80.0, ""),
        estimate(0.01, -0.03, 0.05, 80, 80.0, ""),
    )
    text = verdicts.compared(4, 3, sure)
    assert "Model 4 is 5.0 points less accurate than model 3" in text
    assert f"{verdicts.MINUS}9.0 to {verdicts.MINUS}1.0" in text
    assert text.endswith("That is more than chance.")
    assert verdicts.compared(4, 3, maybe).endswith("That may be chance.")
    nothing = estimate(float("nan"), -1, 1, 0, 0.0, "no audit labels yet")
    assert verdicts.compared(4, 3, nothing).endswith("is not known: no audit labels yet.")
