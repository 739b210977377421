"""The map's messages, without a browser."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from alwidgets.content import Image, Text
from alwidgets.errors import AlwidgetsError, ProjectionError
from alwidgets.ingest.ids import given_ids
from alwidgets.items import Gathered
from alwidgets.projection import Map
from alwidgets.projection.jobs import Figures
from alwidgets.projection.maps import Model
from alwidgets.projection.quality import Moved, Quality
from alwidgets.search import Matches
from alwidgets.selection import Selection, Slices
from alwidgets.tasks import Classification
from alwidgets.textindex import TextIndex
from alwidgets.widgets import saving
from alwidgets.widgets.background import Background
from alwidgets.widgets.bundles import bundle
from alwidgets.widgets.chosen import MOST_QUEUED
from alwidgets.widgets.finder import Finder
from alwidgets.widgets.listing import Listing
from alwidgets.widgets.projector import Projector
from alwidgets.widgets.saving import Saving
from alwidgets.widgets.slicing import Slicing
from alwidgets.widgets.throttle import Throttle

FIXTURES = Path(__file__).parents[2] / "js" / "fixtures" / "messages"
FEATURES = np.random.default_rng(0).normal(size=(6, 4)).astype(np.float32)
PIXELS = np.zeros((8, 8), dtype=np.uint8)


class FakePool:
    def __init__(self, n: int = 6) -> None:
        self.ids = given_ids([f"item-{i}" for i in range(n)])
        self.contents: list[Any] = [Text(f"text {i}") for i in range(n)]
        self.contents[0] = Image.from_array(PIXELS)
        self.features = FEATURES
        self.metadata: dict[str, Any] = {}

    def __len__(self) -> int:
        return len(self.ids)

    def index(self, item_id: str) -> int:
        return list(self.ids).index(item_id)


class FakeStore:
    def __init__(self) -> None:
        self.kept: dict[str, list[str]] = {}

    def slices(self) -> dict[str, list[str]]:
        return dict(self.kept)

    def keep_slice(self, name: str, ids: list[str] | None) -> None:
        if ids is None:
            del self.kept[name]
        else:
            self.kept[name] = ids


@dataclass(eq=False)
class FakeSession:
    name = "mail"
    pool: FakePool = field(default_factory=FakePool)
    task: Any = field(default_factory=lambda: Classification(["ham", "spam"]))
    current: Any = None
    codes: Any = field(default_factory=lambda: np.array([0, -1, 1, -1, -1, -1], dtype=np.int32))
    waiting: dict[str, Any] = field(default_factory=dict)
    next_ids: list[str] = field(default_factory=lambda: ["item-4", "item-2"])
    queued: list[list[str]] = field(default_factory=list)
    listeners: list[tuple[str, Callable[..., object]]] = field(default_factory=list)
    scored: list[str] = field(default_factory=list)
    prepared: int = 0
    round_shown: int | None = None
    at_once: int = 500
    strategy: Any = "margin"

    def __post_init__(self) -> None:
        self.selection = Selection(self)  # type: ignore[arg-type]
        self.selection.to_frame = lambda: pd.DataFrame(  # type: ignore[method-assign]
            {"item_id": self.selection.ids}
        )
        self.slices = Slices(self)  # type: ignore[arg-type]
        self.store = FakeStore()
        self._signals = self

    def label_codes(self) -> Any:
        return self.codes

    def label_streams(self) -> Any:
        return np.array([0, -1, 1, -1, -1, -1], dtype=np.int32), ["train", "audit"]

    def label_annotators(self) -> Any:
        return np.array([1, -1, 0, -1, -1, -1], dtype=np.int32), ["ann", "bob"]

    def scores(self, strategy: str, *, between: Callable[[], None]) -> Any:
        between()
        self.scored.append(strategy)
        return np.array([np.nan, 0.0, np.nan, 0.5, 1.0, 0.25])

    def predictions(self, version: int) -> Any:
        if version > 3:
            raise AlwidgetsError(f"What model {version} said was not kept.")
        return np.array([1, 0, -1, 0, 0, -1], dtype=np.int32)

    @property
    def text_index(self) -> Any:
        return TextIndex(self.pool.contents[1:], run=lambda work: work())

    def matching(self, text: str, **options: Any) -> Matches:
        return Matches(np.array([1]), 1, 6)

    def prepare_neighbours(self) -> None:
        self.prepared += 1

    def edge_cases(self, n: int, by: str) -> pd.DataFrame:
        table = {"score": [0.912, 0.4], "why": ["Far.", "Less far."]}
        return pd.DataFrame(table, index=["item-2", "item-1"])

    def similar(self, item_id: str, n: int) -> pd.DataFrame:
        return pd.DataFrame({"distance": [3.69]}, index=["item-0"])

    def upcoming(self) -> list[str]:
        return self.next_ids

    def item(self, item_id: str) -> Any:
        return self.waiting.get(item_id)

    @property
    def reserved(self) -> Any:
        waiting = [self.waiting.get(item_id) for item_id in self.pool.ids]
        return np.array([w is not None and w.stream == "audit" for w in waiting])

    def suggestion(self, index: int) -> Any:
        waiting = self.waiting.get(self.pool.ids[index])
        if self.current is None or self.current.predictions is None:
            return None
        if waiting is not None and waiting.stream == "audit":
            return None
        code = int(self.current.predictions[index])
        return self.task.classes[code], float(self.current.confidence[index])

    def queue(self, ids: list[str]) -> Any:
        self.queued.append(ids)
        return Report(len(ids))

    def label_together(self, ids: list[str], *, title: str) -> Any:
        self.queued.append([title, *ids])
        taken = [SimpleNamespace(id=i) for i in ids[: self.at_once]]
        return Gathered(title, taken, 1, waiting=ids[self.at_once :])  # type: ignore[arg-type]

    def on(self, event: str, listener: Callable[..., object]) -> Callable[[], None]:
        self.listeners.append((event, listener))
        return lambda: self.listeners.remove((event, listener))

    def emit(self, event: str, *args: object) -> None:
        for name, listener in list(self.listeners):
            if name == event:
                listener(*args)


@dataclass
class Report:
    queued: int

    def __str__(self) -> str:
        return f"{self.queued} cards come next"


class FakeWorker:
    def __init__(self) -> None:
        self.jobs: list[Any] = []

    def umap(self, features: Any, **job: Any) -> Any:
        self.jobs.append(SimpleNamespace(**job))
        return self.jobs[-1]

    def cancel(self, job: object) -> None:
        pass


class Heard(Projector):
    """A projector that keeps what it sends."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.out: list[tuple[dict[str, Any], list[bytes]]] = []
        super().__init__(*args, **kwargs)

    def send(self, content: Any, buffers: Any = None) -> None:
        json.dumps(content, allow_nan=False)
        self.out.append((content, [bytes(b) for b in buffers or ()]))

    def take(self) -> list[tuple[dict[str, Any], list[bytes]]]:
        taken, self.out[:] = list(self.out), []
        return taken


@dataclass
class Setup:
    session: FakeSession
    map: Map
    worker: FakeWorker
    view: Heard

    def tell(self, message: object, *buffers: bytes) -> list[tuple[dict[str, Any], list[bytes]]]:
        """Send a message as the front end does; what comes back."""
        self.view.take()
        self.view._handle_custom_msg(message, [memoryview(b) for b in buffers])
        return self.view.take()

    def kinds(self, *args: Any) -> list[str]:
        return [message["type"] for message, _ in self.tell(*args)]


@pytest.fixture
def setup() -> Iterator[Setup]:
    session, worker = FakeSession(), FakeWorker()
    shared = Map(
        lambda: session.pool.features,
        worker=worker,
        run=lambda work: work(),
        model=lambda: None if session.current is None else Model(1, lambda _: FEATURES[:, :2]),
    )
    view = Heard(session, map=shared)
    view._finder = Finder(session, view._post, run=lambda work: work())
    view._slow = Background(lambda _: view._show_slow(), run=lambda work: work())
    view._listing = Listing(session, shared, view._post, run=lambda work: work())
    view._slicing = Slicing(session, view._post, run=lambda work: work())
    view._saving = Saving(session, view._post, run=lambda work: work())
    yield Setup(session, shared, worker, view)
    view.close()


def a_round(version: int = 1, **more: Any) -> Any:
    fields = {
        "version": version,
        "predictions": np.array([0, 1, 1, 0, 0, 1], dtype=np.int32),
        "confidence": np.linspace(0.5, 1, 6, dtype=np.float32),
        "uncertainty": np.linspace(1, 0, 6, dtype=np.float32),
    }
    return SimpleNamespace(**(fields | more))


def indices(*values: int) -> bytes:
    return np.array(values, dtype="<u4").tobytes()


def only(answers: list[tuple[dict[str, Any], list[bytes]]]) -> tuple[dict[str, Any], list[bytes]]:
    (answer,) = answers
    return answer


# ---------------------------------------------------------------------- hello


def test_hello_brings_everything(setup: Setup) -> None:
    answers = setup.tell({"type": "hello"})
    last = {message["type"]: (message, buffers) for message, buffers in answers}
    points, (xy,) = last["points"]
    assert points == {"type": "points", "n": 6, "layout": "pca", "revision": 1}
    assert np.frombuffer(xy, "<f4").reshape(6, 2) == pytest.approx(setup.map.coords)
    colours, (codes,) = last["colours"]
    assert colours == {
        "type": "colours",
        "n": 6,
        "by": "label",
        "kind": "category",
        "categories": ["ham", "spam"],
        "range": None,
        "version": 0,
        "bytes": 1,
        "name": "Label",
        "none": "not labelled",
        "ends": None,
        "notable": None,
    }
    assert list(codes) == [0, 255, 1, 255, 255, 255]
    assert last["cards"][0] == {"type": "cards", "indices": [4, 2]}
    assert last["progress"][0]["text"] == "Starting the layout…"
    assert last["layout"][0] == {
        "type": "layout",
        "space": "features",
        "spaces": ["features", "model"],
        "ready": ["features"],
        "stopped": False,
        "figures": None,
    }
    assert setup.view._task == {"classes": ["ham", "spam"]}


def test_umap_starts_once_and_glides_in(setup: Setup) -> None:
    setup.tell({"type": "hello"})
    setup.tell({"type": "hello"})
    (job,) = setup.worker.jobs
    setup.view.take()
    job.on_progress(0.4, "Arranging the map… 40 %")
    message, _ = only(setup.view.take())
    assert message == {"type": "progress", "fraction": 0.4, "text": "Arranging the map… 40 %"}
    job.on_done(np.ones((6, 2), dtype=np.float32))
    points, progress = (message for message, _ in setup.view.take())
    assert points == {"type": "points", "n": 6, "layout": "umap", "revision": 2}
    assert progress == {"type": "progress", "fraction": None, "text": None}


def test_a_layout_that_fails_is_told_now_and_at_the_next_hello(setup: Setup) -> None:
    setup.tell({"type": "hello"})
    setup.view.take()
    setup.worker.jobs[0].on_error(ProjectionError("no memory"))
    kinds = [message["type"] for message, _ in setup.view.take()]
    assert kinds == ["problem", "progress"]
    assert "problem" in setup.kinds({"type": "hello"})


# ---------------------------------------------------------------------- spaces

TRUST = np.array([1, 0, 0.5, 1, 1, 0.25], dtype=np.float32)
MEASURED = Figures(9.0, Quality(0.95, 0.97, 6), Moved(0.02, 0.01), TRUST)


def test_figures_are_told_when_they_are_measured(setup: Setup) -> None:
    setup.tell({"type": "hello"})
    setup.worker.jobs[0].on_done(np.ones((6, 2), dtype=np.float32))
    setup.view.take()
    setup.worker.jobs[0].on_figures(MEASURED)
    (message, _), (choices, _) = setup.view.take()
    assert choices["type"] == "choices"
    assert message["figures"] == {
        "trustworthiness": 0.95,
        "continuity": 0.97,
        "sampled": 6,
        "moved": 0.01,
    }


def test_the_space_of_the_model_is_shown_once_there_is_one(setup: Setup) -> None:
    setup.tell({"type": "hello"})
    layout, problem = (m for m, _ in setup.tell({"type": "space", "space": "model"}))
    assert (layout["type"], layout["space"]) == ("layout", "features")
    assert "no model yet" in problem["text"]
    setup.session.current = a_round()
    sent = [message for message, _ in setup.tell({"type": "space", "space": "model"})]
    assert sent[-1]["type"] == "layout"
    assert (sent[-1]["space"], sent[-1]["ready"]) == ("model", ["features", "model"])
    points = [message for message in sent if message["type"] == "points"]
    assert points[-1]["layout"] == "pca"
    assert points[-1]["box"] == [*setup.map.coords.min(axis=0), *setup.map.coords.max(axis=0)]
    assert len(setup.worker.jobs) == 2


@pytest.mark.parametrize("space", [None, 3, "elsewhere", ["model"]])
def test_a_space_that_there_is_not(setup: Setup, space: object) -> None:
    assert "refused" in setup.kinds({"type": "space", "space": space})
    assert setup.map.space == "features"


def test_where_nothing_is_learnt_there_is_one_space(setup: Setup) -> None:
    setup.session.task = SimpleNamespace(classes=(), categories=())
    last = {message["type"]: message for message, _ in setup.tell({"type": "hello"})}
    assert last["layout"]["spaces"] == ["features"]


def test_a_layout_is_stopped_and_gone_on_with(setup: Setup) -> None:
    setup.tell({"type": "hello"})
    layout, progress = (m for m, _ in setup.tell({"type": "cancel_layout"}))
    assert layout["stopped"] is True
    assert progress["text"] is None
    assert setup.map.layout == "pca"
    setup.tell({"type": "space", "space": "features"})
    assert len(setup.worker.jobs) == 2


def test_points_are_coloured_by_how_far_they_can_be_trusted(setup: Setup) -> None:
    setup.tell({"type": "hello"})
    (colours, _), (problem, _) = setup.tell({"type": "colour_by", "by": "trust"})
    assert colours["by"] == "label"
    assert "not measured yet" in problem["text"]
    setup.worker.jobs[0].on_done(np.ones((6, 2), dtype=np.float32))
    setup.worker.jobs[0].on_figures(MEASURED)
    (colours, (codes,)), _ = setup.tell({"type": "colour_by", "by": "trust"})
    assert (colours["by"], colours["kind"], colours["range"]) == ("trust", "ramp", [0.0, 1.0])
    assert list(codes) == [254, 0, 127, 254, 254, 64]
    setup.worker.jobs[0].on_figures(MEASURED)
    sent = [message for message, _ in setup.view.take()]
    assert [message["type"] for message in sent] == ["layout", "choices", "colours"]
    needs = {choice["by"]: choice["needs"] for choice in sent[1]["groups"][0]["choices"]}
    assert (needs["trust"], needs["prediction"]) == (None, "a model")


# ---------------------------------------------------------------------- colours


def test_a_model_changes_the_default_to_its_predictions(setup: Setup) -> None:
    setup.tell({"type": "hello"})
    setup.session.current = a_round(3)
    setup.view.take()
    setup.session.emit("round", setup.session.current)
    (choices, _), (colours, (codes,)), cards, ways, layout = setup.view.take()
    assert choices["type"] == "choices"
    assert (colours["by"], colours["version"]) == ("prediction", 3)
    assert list(codes) == [0, 1, 1, 0, 0, 1]
    assert [sent[0]["type"] for sent in (cards, ways, layout)] == ["cards", "ways", "layout"]


def test_the_map_follows_the_session_while_somebody_looks(setup: Setup) -> None:
    heard: list[str] = []
    setup.map.on_change(heard.append)
    setup.session.emit("round", setup.session.current)
    assert heard == ["space"]
    setup.view.close()
    setup.session.emit("round", setup.session.current)
    assert heard == ["space"]
    assert setup.session.listeners == []


def test_what_a_person_chose_stays(setup: Setup) -> None:
    setup.tell({"type": "colour_by", "by": "label"})
    setup.session.current = a_round()
    setup.session.emit("round", setup.session.current)
    assert setup.view.take()[1][0]["by"] == "label"


def test_a_look_back_colours_by_what_that_model_said_and_then_as_before(setup: Setup) -> None:
    session = setup.session
    session.current = a_round(3)
    session.emit("round", session.current)
    setup.tell({"type": "colour_by", "by": "uncertainty"})

    def look(version: int | None) -> list[tuple[dict[str, Any], list[bytes]]]:
        setup.view.take()
        session.round_shown = version
        session.emit("round shown", version)
        return [sent for sent in setup.view.take() if sent[0]["type"] == "colours"]

    colours, (codes,) = look(2)[-1]
    assert (colours["by"], colours["name"]) == ("then:2", "Model 2's prediction")
    assert list(codes) == [1, 0, 255, 0, 0, 255]
    assert look(1)[-1][0]["by"] == "then:1"
    # A newer model leaves it as it is.
    session.current = a_round(4)
    session.emit("round", session.current)
    assert setup.view._shown_by() == "then:1"
    assert look(None)[-1][0]["by"] == "uncertainty"
    look(2)
    setup.tell({"type": "colour_by", "by": "label"})
    assert look(None)[-1][0]["by"] == "label"


def test_of_a_round_that_was_not_kept_the_map_says_so(setup: Setup) -> None:
    setup.session.current = a_round(3)
    setup.session.round_shown = 9
    setup.session.emit("round shown", 9)
    problem = next(m for m, _ in setup.view.take() if m["type"] == "problem")
    assert problem["text"] == "What model 9 said was not kept."
    assert setup.view._shown_by() == "prediction"


def test_uncertainty(setup: Setup) -> None:
    setup.session.current = a_round()
    (colours, (codes,)), _ = setup.tell({"type": "colour_by", "by": "uncertainty"})
    assert (colours["kind"], colours["range"], colours["categories"]) == ("ramp", [0.0, 1.0], None)
    assert list(codes) == [254, 203, 152, 102, 51, 0]


def test_outliers_are_measured_when_asked_for(setup: Setup) -> None:
    assert setup.map.outliers is None
    answers = setup.tell({"type": "colour_by", "by": "outlier"})
    colours, (codes,) = next(a for a in reversed(answers) if a[0]["type"] == "colours")
    assert colours["kind"] == "ramp"
    assert colours["range"][0] == 0
    assert codes[int(np.argmax(setup.map.outliers))] == 254
    assert answers[-1][0]["text"] is None


def test_while_outliers_are_measured_there_is_a_word_for_it() -> None:
    session, later = FakeSession(), []
    shared = Map(lambda: FEATURES, worker=FakeWorker(), run=later.append)
    view = Heard(session, map=shared)
    view._handle_custom_msg({"type": "colour_by", "by": "outlier"}, [])
    message, _ = only(view.take())
    assert message["text"].startswith("Measuring")
    later[0]()
    assert [message["type"] for message, _ in view.take()] == ["colours", "progress"]
    view.close()


def test_what_needs_a_model_is_refused_without_one(setup: Setup) -> None:
    (colours, _), (problem, _) = setup.tell({"type": "colour_by", "by": "uncertainty"})
    assert colours["by"] == "label"
    assert "no model" in problem["text"]
    assert "Label" in problem["remedy"]


def test_a_round_without_a_model(setup: Setup) -> None:
    setup.session.current = a_round(0, predictions=None, confidence=None, uncertainty=None)
    setup.session.emit("round", setup.session.current)
    assert setup.view.take()[1][0]["by"] == "label"
    assert only(setup.tell({"type": "preview", "index": 1}))[0]["prediction"] is None


def test_more_classes_than_a_byte_holds(setup: Setup) -> None:
    setup.session.task = Classification(f"c{i}" for i in range(300))
    setup.session.codes = np.array([299, -1, 0, 0, 0, 0], dtype=np.int32)
    (colours, (codes,)), _ = setup.tell({"type": "colour_by", "by": "label"})
    assert colours["bytes"] == 2
    assert np.frombuffer(codes, "<u2")[:2].tolist() == [299, 65_535]
    assert len(setup.view._task["classes"]) == 300


def test_labels_recolour_at_once_and_then_not_too_often() -> None:
    now, timers, calls = [0.0], [], []

    class FakeTimer:
        daemon = False

        def __init__(self, wait: float, run: Callable[[], object]) -> None:
            self.wait, self.run, self.cancelled = wait, run, False
            timers.append(self)

        def start(self) -> None:
            assert self.daemon

        def cancel(self) -> None:
            self.cancelled = True

    ask = Throttle(lambda: calls.append(now[0]), 0.25, clock=lambda: now[0], timer=FakeTimer)
    ask()
    assert calls == [0.0]
    now[0] = 0.1
    for _ in range(10):
        ask()
    assert calls == [0.0]
    (timer,) = timers
    assert timer.wait == pytest.approx(0.15)
    now[0] = 0.25
    timer.run()
    assert calls == [0.0, 0.25]
    now[0] = 1.0
    ask()
    assert calls == [0.0, 0.25, 1.0]
    ask()
    ask.close()
    assert timers[-1].cancelled
    timers[-1].run()
    ask()
    assert len(calls) == 3


def test_labelling_recolours(setup: Setup) -> None:
    setup.session.codes[1] = 1
    setup.session.emit("labelled", object())
    (colours, (codes,)), (cards, _) = setup.view.take()
    assert (colours["type"], codes[1]) == ("colours", 1)
    assert cards["type"] == "cards"
    for _ in range(20):
        setup.session.emit("labelled", object())
    assert setup.view.take() == []


def test_a_new_queue_moves_the_rings(setup: Setup) -> None:
    setup.session.next_ids = ["item-0"]
    setup.session.emit("queue")
    assert only(setup.view.take())[0] == {"type": "cards", "indices": [0]}


# ---------------------------------------------------------------------- preview, selection, queue


def test_preview_of_a_text(setup: Setup) -> None:
    setup.session.current = a_round()
    message, buffers = only(setup.tell({"type": "preview", "index": 2}))
    assert buffers == []
    assert message == {
        "type": "preview",
        "index": 2,
        "item_id": "item-2",
        "content": {"kind": "text", "text": "text 2"},
        "label": "spam",
        "prediction": "spam",
        "confidence": pytest.approx(0.7),
        "uncertainty": pytest.approx(0.6),
    }


def test_preview_of_an_image(setup: Setup) -> None:
    message, buffers = only(setup.tell({"type": "preview", "index": 0}))
    assert buffers == [Image.from_array(PIXELS).data]
    content = message["content"]
    assert (content["mime"], content["buffer"], content["width"]) == ("image/png", 0, 8)
    assert (message["label"], message["prediction"], message["confidence"]) == ("ham", None, None)


def test_a_card_of_the_audit_does_not_tell_what_the_model_thinks(setup: Setup) -> None:
    setup.session.current = a_round()
    setup.session.waiting["item-2"] = SimpleNamespace(stream="audit")
    setup.session.waiting["item-3"] = SimpleNamespace(stream="train")
    hidden, _ = only(setup.tell({"type": "preview", "index": 2}))
    assert [hidden[k] for k in ("prediction", "confidence", "uncertainty")] == [None] * 3
    shown, _ = only(setup.tell({"type": "preview", "index": 3}))
    assert shown["prediction"] == "ham"
    for by in ("prediction", "uncertainty", "confidence", "score:margin"):
        _, (codes,) = setup.tell({"type": "colour_by", "by": by})[0]
        labelled = [0] if by.startswith("score") else []
        assert [i for i, code in enumerate(codes) if code == 255] == [*labelled, 2]


def test_a_selection_is_kept(setup: Setup) -> None:
    assert setup.tell({"type": "select", "encoding": "positions"}, indices(3, 1, 3)) == []
    assert setup.view.selection == ["item-3", "item-1"]
    setup.tell({"type": "select", "encoding": "positions"}, b"")
    assert setup.view.selection == []


def test_one_selection_for_all_views_and_for_python(setup: Setup) -> None:
    other = Heard(setup.session, map=setup.map)
    mask = {"type": "select", "encoding": "mask"}
    assert setup.tell(mask, bytes([0b100010])) == []  # whoever selects is not told
    message, (data,) = only(other.take())
    assert message == {"type": "selection", "encoding": "positions", "n": 6}
    assert data == indices(1, 5)
    assert setup.session.selection.ids == ["item-1", "item-5"]
    assert setup.session.selection.source == "map"
    setup.session.selection.set(["item-3"])
    for view in (setup.view, other):
        expected = {"type": "selection", "encoding": "positions", "n": 6}
        assert only(view.take()) == (expected, [indices(3)])
    setup.tell({"type": "label_next", "encoding": "positions"}, indices(3))
    assert only(other.take())[1] == [b""]  # it is on the cards
    assert not setup.session.selection
    other.close()
    setup.session.selection.set(["item-2"])
    assert other.take() == []
    sent = setup.tell({"type": "hello"})
    assert [data for message, data in sent if message["type"] == "selection"] == [[indices(2)]]


def test_a_selection_from_a_list_says_so_and_is_not_looked_at(setup: Setup) -> None:
    looked: list[int] = []
    setup.view._guard = SimpleNamespace(  # type: ignore[assignment]
        look=lambda positions: looked.append(len(positions)), close=lambda: None
    )
    message = {"type": "select", "encoding": "positions"}
    setup.tell(message | {"source": "edge cases"}, indices(2, 4))
    assert (setup.view.selection, setup.session.selection.source) == (
        ["item-2", "item-4"],
        "edge cases",
    )
    setup.tell(message, indices(2, 4, 5))
    assert setup.session.selection.source == "map"
    # What was picked from a list was meant; the look at an older lasso is given up all the same.
    assert looked == [0, 3]


def test_a_slice_comes_back_to_all_views(setup: Setup) -> None:
    setup.tell({"type": "select", "encoding": "positions"}, indices(5, 2))
    setup.tell({"type": "slice", "what": "keep", "name": "odd ones"})
    setup.tell({"type": "select", "encoding": "positions"}, b"")
    sent = setup.tell({"type": "slice", "what": "select", "name": "odd ones"})
    (buffers,) = [buffers for message, buffers in sent if message["type"] == "selection"]
    assert np.frombuffer(buffers[0], "<u4").tolist() == [5, 2]
    assert setup.session.selection.source == "slice"


def test_slices_that_python_keeps_are_told(setup: Setup) -> None:
    setup.tell({"type": "slice", "what": "list"})
    setup.session.slices["mine"] = ["item-3"]
    message, _ = only(setup.view.take())
    assert message["slices"] == [{"name": "mine", "count": 1}]


def test_label_next_queues(setup: Setup) -> None:
    message, _ = only(setup.tell({"type": "label_next", "encoding": "positions"}, indices(5, 0, 5)))
    assert setup.session.queued == [["item-5", "item-0"]]
    assert message == {"type": "queued", "count": 2, "text": "2 cards come next."}


def test_a_selection_is_labelled_together(setup: Setup) -> None:
    message, _ = only(
        setup.tell({"type": "label_together", "encoding": "positions"}, indices(5, 0, 5))
    )
    assert setup.session.queued == [["Chosen on the map", "item-5", "item-0"]]
    text = "2 items to label together; 1 already labelled."
    assert message == {"type": "queued", "count": 2, "text": text}


def test_what_is_too_much_to_be_labelled_together_stays_selected(setup: Setup) -> None:
    setup.session.at_once = 2
    setup.session.selection.set([5, 0, 3], source="list")
    said, selection = setup.tell(
        {"type": "label_together", "encoding": "positions"}, indices(5, 0, 3)
    )
    text = "2 items to label together; 1 already labelled; 1 more to come, which stay selected."
    assert said[0] == {"type": "queued", "count": 2, "text": text}
    assert (selection[0]["type"], selection[1]) == ("selection", [indices(3)])
    assert (setup.view.selection, setup.session.selection.source) == (["item-3"], "list")


def test_any_number_can_be_labelled_together() -> None:
    n = MOST_QUEUED + 1
    session = FakeSession(pool=FakePool(n))
    view = Heard(session, map=Map(lambda: FEATURES, worker=FakeWorker()))
    session.selection.set(range(n))
    view.take()
    together = {"type": "label_together", "encoding": "positions"}
    view._handle_custom_msg(together, [indices(*range(n))])
    assert [message["type"] for message, _ in view.take()] == ["queued", "selection"]
    assert len(session.selection) == n - 500
    view.close()


def test_the_selection_is_saved_as_a_file(setup: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    refused, _ = only(setup.tell({"type": "save"}))
    assert (refused["type"], "Nothing is selected" in refused["text"]) == ("problem", True)
    setup.session.selection.set([4, 1])
    message, (data,) = only(setup.tell({"type": "save"}))
    assert message == {"type": "file", "name": "mail selection.csv"}
    assert data.decode() == "item_id\nitem-4\nitem-1\n"
    monkeypatch.setattr(saving, "MOST_SAVED", 1)
    refused, _ = only(setup.tell({"type": "save"}))
    assert refused["text"] == "2 items are too many for one file; select at most 1 at a time."
    monkeypatch.setattr(saving, "MOST_SAVED", 2)
    monkeypatch.setattr(setup.session.selection, "to_frame", lambda: 1 / 0)
    refused, _ = only(setup.tell({"type": "save"}))
    assert "ZeroDivisionError" in refused["text"]


# ---------------------------------------------------------------------- what is malformed


@pytest.mark.parametrize(
    "message",
    [
        None,
        "hello",
        [],
        {},
        {"type": None},
        {"type": ["hello"]},
        {"type": "drop tables"},
        {"type": "colour_by"},
        {"type": "colour_by", "by": "shoe size"},
        {"type": "colour_by", "by": ["label"]},
        {"type": "colour_by", "by": "score:shoe size"},
        {"type": "colour_by", "by": "score:badge"},
        {"type": "colour_by", "by": "meta:shoe size"},
        {"type": "columns"},
        {"type": "columns", "search": 7},
        {"type": "search"},
        {"type": "search", "text": ["prize"]},
        {"type": "preview"},
        {"type": "preview", "index": -1},
        {"type": "preview", "index": 6},
        {"type": "preview", "index": 1.5},
        {"type": "preview", "index": True},
        {"type": "preview", "index": "1"},
        {"type": "select", "encoding": "positions"},
        {"type": "label_next", "encoding": "positions"},
        {"type": "label_together", "encoding": "positions"},
    ],
    ids=str,
)
def test_what_is_malformed_is_refused(setup: Setup, message: object) -> None:
    answer, _ = only(setup.tell(message))
    assert answer["type"] == "refused"
    assert answer["event_id"] is None
    assert answer["reason"]


@pytest.mark.parametrize("kind", ["select", "label_next", "label_together"])
@pytest.mark.parametrize("buffer", [b"123", indices(6), indices(0, 2**32 - 1)])
def test_positions_that_do_not_fit_are_refused(setup: Setup, kind: str, buffer: bytes) -> None:
    for encoding in ("positions", "mask", None):
        message = {"type": kind, "encoding": encoding}
        assert setup.kinds(message, buffer) == ["refused"]
        assert setup.kinds(message, buffer, buffer) == ["refused"]
    assert setup.view.selection == []
    assert setup.session.queued == []


def test_an_empty_or_endless_selection_is_refused() -> None:
    session = FakeSession(pool=FakePool(MOST_QUEUED + 1))
    view = Heard(session, map=Map(lambda: FEATURES, worker=FakeWorker()))
    view._handle_custom_msg({"type": "label_next", "encoding": "positions"}, [b""])
    view._handle_custom_msg(
        {"type": "label_next", "encoding": "positions"}, [indices(*range(MOST_QUEUED + 1))]
    )
    first, second = (message for message, _ in view.take())
    assert "Nothing is selected" in first["reason"]
    assert "too many" in second["reason"]
    assert session.queued == []
    view.close()


def test_errors_of_the_session_reach_the_person(
    setup: Setup, monkeypatch: pytest.MonkeyPatch
) -> None:
    def closed(ids: list[str]) -> None:
        raise AlwidgetsError("The session is closed. Make a new one.")

    monkeypatch.setattr(setup.session, "queue", closed)
    message, _ = only(setup.tell({"type": "label_next", "encoding": "positions"}, indices(1)))
    assert message["type"] == "problem"
    assert message["text"] == "The session is closed. Make a new one."
    setup.session.pool.contents[1] = object()
    message, _ = only(setup.tell({"type": "preview", "index": 1}))
    assert message["type"] == "problem"
    assert message["remedy"]


# ---------------------------------------------------------------------- threads, ends


def test_nothing_older_overtakes_what_is_newer(setup: Setup) -> None:
    reading, go_on = threading.Event(), threading.Event()
    first = [True]

    def label_codes() -> Any:
        codes = setup.session.codes.copy()
        if first.pop() if first else False:
            reading.set()
            assert go_on.wait(10)
        return codes

    setup.session.label_codes = label_codes  # type: ignore[method-assign]
    slow = threading.Thread(target=setup.view._send_colours)
    slow.start()
    assert reading.wait(10)
    setup.session.codes[1] = 1
    setup.view._send_colours()  # begun later, done earlier; and not kept waiting by the other
    go_on.set()
    slow.join(10)
    _, (codes,) = only(setup.view.take())
    assert codes[1] == 1


def test_colours_that_are_being_made_are_sent_whatever_else_is_coloured(setup: Setup) -> None:
    held: list[Callable[[], None]] = []
    setup.view._slow = Background(lambda _: setup.view._show_slow(), run=held.append)
    setup.session.pool.metadata["length"] = [1.5, 2.5, 3.5, 4.5, 5.5, 6.5]
    asked = [{"type": "colour_by", "by": "meta:length"}]

    def label_codes() -> Any:  # while these are read, the person asks for others
        if asked:
            setup.view._handle_custom_msg(asked.pop(), [])
        return setup.session.codes

    setup.session.label_codes = label_codes  # type: ignore[method-assign]
    setup.view._send_colours()
    setup.view.take()
    held[0]()
    assert [m["by"] for m, _ in setup.view.take() if m["type"] == "colours"] == ["meta:length"]


def test_a_closed_map_no_longer_listens(setup: Setup) -> None:
    assert setup.session.listeners
    setup.view.close()
    assert setup.session.listeners == []
    assert setup.map._listeners == []
    setup.view.take()
    setup.view._send_cards()
    assert setup.view.take() == []


def test_the_end_of_the_session_is_the_end_of_listening(setup: Setup) -> None:
    setup.session.emit("closed", "It was closed.")
    assert setup.session.listeners == []


# ---------------------------------------------------------------------- items that join


def test_what_is_known_of_new_items_is_sent_again_when_they_have_points(setup: Setup) -> None:
    setup.map._size = lambda: len(setup.session.pool)
    setup.tell({"type": "hello"})
    setup.session.pool.ids = given_ids([*setup.session.pool.ids, "item-6"])
    setup.session.pool.features = np.vstack([FEATURES, FEATURES[:1]])
    setup.session.codes = np.append(setup.session.codes, 1).astype(np.int32)
    setup.session.selection.set(["item-6", "item-0"])
    message, (data,) = only(setup.view.take())
    assert (message["n"], data) == (7, indices(6, 0))
    assert setup.session.prepared == 1  # more like this is ready before it is asked for
    setup.session.emit("grown", 1)
    assert setup.session.prepared == 2
    sent = {message["type"]: (message, buffers) for message, buffers in setup.view.take()}
    assert sent["points"][0]["n"] == 7
    assert sent["colours"][0]["n"] == len(sent["colours"][1][0]) == 7
    assert sent["selection"][1] == [indices(6, 0)]
    assert "cards" in sent
    setup.map._tell("points")
    assert "selection" not in {message["type"] for message, _ in setup.view.take()}


def test_a_mask_may_be_of_the_points_that_there_were(setup: Setup) -> None:
    setup.session.pool.ids = given_ids([*setup.session.pool.ids, "item-6", "item-7", "item-8"])
    mask = {"type": "select", "encoding": "mask", "n": 6}
    assert setup.kinds(mask, bytes([0b100010])) == []
    assert setup.view.selection == ["item-1", "item-5"]
    assert setup.kinds({"type": "select", "encoding": "mask"}, bytes([0b100010])) == ["refused"]
    for n in (10, -1, True, "6"):
        assert setup.kinds(mask | {"n": n}, bytes([1])) == ["refused"]


# ---------------------------------------------------------------------- fixtures, bundles


def fixtures(direction: str) -> list[Any]:
    found = [json.loads(p.read_text("utf-8")) for p in sorted(FIXTURES.glob("projector_*.json"))]
    return [f for f in found if f["direction"] == direction]


@pytest.mark.parametrize("fixture", fixtures("to_python"), ids=lambda f: f["message"]["type"])
def test_messages_of_the_front_end_are_understood(setup: Setup, fixture: Any) -> None:
    setup.session.current = a_round()
    setup.session.selection.set([1])
    if fixture["message"].get("what") in ("select", "delete", "restore"):
        setup.session.slices["odd ones"] = ["item-1"]
    if fixture["message"].get("what") == "restore":
        setup.tell(fixture["message"] | {"what": "delete"})
    buffers = [bytes(n) for n in fixture["buffers"]]
    kinds = setup.kinds(fixture["message"], *buffers)
    assert not {"refused", "problem"} & set(kinds)


def test_what_is_sent_has_the_shape_that_the_front_end_is_tested_with(setup: Setup) -> None:
    examples: dict[str, list[Any]] = {}
    for fixture in fixtures("to_browser"):
        examples.setdefault(fixture["message"]["type"], []).append(fixture["message"])
    sent = setup.tell({"type": "hello"})
    setup.session.current = a_round()
    for by in ("label", "prediction", "uncertainty", "outlier", "confidence", "score:margin"):
        sent += setup.tell({"type": "colour_by", "by": by})
    sent += setup.tell({"type": "columns", "search": "x"})
    for by in ("uncertainty", None):
        sent += setup.tell({"type": "vary", "what": "size", "by": by})
    sent += setup.tell({"type": "search", "text": "x"})
    sent += regions_of(Text("a prize")) + regions_of(Image.from_array(PIXELS))
    sent += setup.tell({"type": "preview", "index": 0}) + setup.tell(
        {"type": "preview", "index": 1}
    )
    setup.session.selection.set(["item-1"])
    for of in (
        {"kind": "edge_cases", "by": "knn"},
        {"kind": "similar", "index": 1},
        {"kind": "points", "by": "trust", "descending": True, "selected": False},
    ):
        sent += setup.tell({"type": "list", "list": of["kind"], "of": of, "start": 0})
    sent += setup.tell({"type": "slice", "what": "keep", "name": "odd ones"})
    sent += setup.tell({"type": "slice", "what": "list"})
    sent += setup.tell({"type": "save"})
    sent.append(({"type": "guard", "selected": 6, "sampled": False}, [b"", indices(1)]))
    setup.session.selection.set(["item-1"])
    sent += setup.view.take()
    sent += setup.tell({"type": "label_next", "encoding": "positions"}, indices(1)) + setup.tell(
        {"type": "nonsense"}
    )
    setup.worker.jobs[0].on_error(ProjectionError("no memory"))
    sent += setup.tell({"type": "hello"})
    assert {message["type"] for message, _ in sent} == set(examples)
    for message, _ in sent:
        shapes = [shape(example) for example in examples[message["type"]]]
        assert any(set(message) == set(keys) for keys in shapes)
        for key, value in message.items():
            assert type(value).__name__ in {kind for keys in shapes for kind in keys[key]}, key


def regions_of(content: Any) -> list[Any]:
    """The names of the regions of a pool of forty of this."""
    pool = FakePool(40)
    pool.contents, pool.features = [content] * 40, np.eye(40, dtype=np.float32)
    shared = Map(lambda: np.eye(40), worker=FakeWorker(), run=lambda work: work())
    view = Heard(FakeSession(pool=pool), map=shared)
    view._naming = Background(lambda _: view._send_regions(), run=lambda work: work())
    view._handle_custom_msg({"type": "hello"}, [])
    sent = [message for message in view.take() if message[0]["type"] == "regions"]
    view.close()
    assert sent
    return sent


def shape(example: dict[str, Any]) -> dict[str, set[str]]:
    kinds = {key: {type(value).__name__} for key, value in example.items()}
    for key in kinds.keys() & {"label", "prediction", "text", "error", "note", "said"}:
        kinds[key] |= {"str", "NoneType"}
    for key in kinds.keys() & {"categories", "range", "ends"}:
        kinds[key] |= {"list", "NoneType"}
    for key in kinds.keys() & {"fraction"}:
        kinds[key] |= {"float", "NoneType"}
    for key in kinds.keys() & {"notable", "like"}:
        kinds[key] |= {"dict", "NoneType"}
    return kinds


def test_a_missing_bundle_is_named(tmp_path: Path) -> None:
    (tmp_path / "projector.js").write_text("")
    with pytest.raises(AlwidgetsError, match=r"projector\.css is missing.*make js"):
        bundle("projector", folder=tmp_path)
    (tmp_path / "projector.css").write_text("")
    assert bundle("projector", folder=tmp_path) == (
        tmp_path / "projector.js",
        tmp_path / "projector.css",
    )
