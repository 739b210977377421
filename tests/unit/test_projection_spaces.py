"""Two spaces of the map, and layouts kept on disk: without a process, with jobs played by hand."""

from __future__ import annotations

import gc
import json
import logging
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from alwidgets.errors import ProjectionError
from alwidgets.projection import Map, shared_map
from alwidgets.projection.jobs import Figures
from alwidgets.projection.kept import Kept, LayoutCache
from alwidgets.projection.maps import Model
from alwidgets.projection.modelspace import Stopped
from alwidgets.projection.quality import Moved, Quality
from alwidgets.tasks import Classification

Array = np.ndarray[Any, Any]
N = 40
QUALITY = Quality(0.95, 0.97, N)


def rows(seed: int = 0, d: int = 5) -> Array:
    return np.random.default_rng(seed).normal(size=(N, d)).astype(np.float32)


def coords(seed: int) -> Array:
    return np.random.default_rng(seed).uniform(-1, 1, size=(N, 2)).astype(np.float32)


class FakeWorker:
    """Keeps the jobs until the test says how they go on."""

    def __init__(self) -> None:
        self.jobs: list[SimpleNamespace] = []
        self.cancelled: list[object] = []
        self.starts = 0

    def umap(self, features: Array, **job: Any) -> Any:
        self.jobs.append(SimpleNamespace(features=features, **job))
        return self.jobs[-1]

    def cancel(self, job: object) -> None:
        self.cancelled.append(job)

    def start(self) -> None:
        self.starts += 1

    def finish(self, placed: Array, span: float = 9.0, **figures: Any) -> None:
        """End the newest job as the process does."""
        job = self.jobs[-1]
        job.on_figures(Figures(span, moved=figures.get("moved")))
        job.on_done(placed)
        trust = np.linspace(0, 1, N, dtype=np.float32)
        job.on_figures(Figures(span, **({"quality": QUALITY, "local_trust": trust} | figures)))


class Setup:
    """A map whose models the test makes."""

    def __init__(self, run: Callable[[Callable[[], None]], None] | None = None, **more: Any):
        self.worker = FakeWorker()
        self.events: list[str] = []
        self.model: Model | None = None
        self.map = Map(
            rows,
            worker=self.worker,
            run=run or (lambda work: work()),
            model=lambda: self.model,
            **more,
        )
        self.map.on_change(self.events.append)

    def retrain(self, version: int, read: Callable[..., Array] | None = None) -> None:
        self.model = Model(version, read or (lambda _: rows(100 + version, 3)))
        self.map.refresh()


@pytest.fixture
def laid_out() -> Setup:
    """The features are laid out, and the model's space for the first time."""
    setup = Setup()
    setup.map.start()
    setup.worker.finish(coords(0))
    setup.retrain(1)
    setup.map.show("model")
    setup.worker.finish(coords(1))
    return setup


# ---------------------------------------------------------------------- the figures


def test_figures_come_with_the_layout() -> None:
    setup = Setup()
    setup.map.start()
    assert setup.map.figures is None
    setup.worker.finish(coords(0))
    assert setup.map.figures is not None
    assert setup.map.figures.quality == QUALITY
    assert setup.map.local_trust is not None
    assert len(setup.map.local_trust) == N
    assert setup.events[-1] == "figures"


# ---------------------------------------------------------------------- items that join


class Growing(Setup):
    """A map of items that become more."""

    def __init__(self, **more: Any) -> None:
        self.n = N - 5
        super().__init__(size=lambda: self.n, **more)
        self.map._features = lambda: rows()[: self.n]
        self.map._spaces["features"]._read = lambda _: (rows()[: self.n], 1)

    def grow(self) -> None:
        self.n = N
        self.map.grow()


def test_on_the_map_of_pca_new_items_are_projected_at_once() -> None:
    setup = Growing()
    setup.map.start()
    before = setup.map.coords
    assert before is not None
    setup.events.clear()
    setup.grow()
    after = setup.map.coords
    assert after is not None
    np.testing.assert_array_equal(after[:-5], before)
    # PCA is linear: an item between two others lies between them.
    expected = np.linalg.lstsq(
        np.c_[rows()[:-5], np.ones(N - 5)], before.astype(np.float64), rcond=None
    )[0]
    np.testing.assert_allclose(after[-5:], np.c_[rows()[-5:], np.ones(5)] @ expected, atol=1e-5)
    assert "points" in setup.events
    # The layout that was under way is of those that were there; then the others are placed on it.
    setup.worker.finish(coords(0)[:-5])
    assert len(setup.worker.jobs) == 2
    assert setup.worker.jobs[1].still


def test_new_items_are_placed_and_the_others_stay() -> None:
    setup = Growing()
    setup.map.start()
    setup.worker.finish(coords(0)[:-5], local_trust=np.ones(N - 5, dtype=np.float32))
    setup.map.measure_outliers()
    assert setup.map.outliers is not None
    setup.grow()
    assert setup.map.outliers is None
    job = setup.worker.jobs[-1]
    assert job.still
    assert job.span == 9.0
    np.testing.assert_array_equal(job.before, coords(0)[:-5])
    np.testing.assert_array_equal(job.features, rows())
    assert setup.map.busy
    np.testing.assert_array_equal(setup.map.coords, coords(0)[:-5])
    setup.worker.finish(coords(0), local_trust=None)
    np.testing.assert_array_equal(setup.map.coords, coords(0))
    trust = setup.map.local_trust
    assert trust is not None
    assert (trust[:-5] == 1).all()
    assert np.isnan(trust[-5:]).all()
    assert not setup.map.busy
    assert len(setup.worker.jobs) == 2


def test_placing_can_be_given_up_and_asked_for_again() -> None:
    setup = Growing()
    setup.map.start()
    setup.worker.finish(coords(0)[:-5])
    setup.grow()
    setup.map.cancel()
    assert setup.map.stopped
    np.testing.assert_array_equal(setup.map.coords, coords(0)[:-5])
    setup.map.show("features")
    assert setup.worker.jobs[-1].still
    setup.worker.finish(coords(0))
    assert not setup.map.stopped


def test_the_space_of_the_model_grows_as_well() -> None:
    setup = Growing()
    setup.map.start()
    setup.worker.finish(coords(0)[:-5])
    setup.retrain(1, lambda _: rows(101, 3)[: setup.n])
    setup.map.show("model")
    setup.worker.finish(coords(1)[:-5])
    setup.grow()
    kinds = {len(job.before): job.still for job in setup.worker.jobs[-2:]}
    assert kinds == {N - 5: True}
    setup.worker.finish(coords(1))
    np.testing.assert_array_equal(setup.map.coords, coords(1))
    # Another model later moves them all, from where they are.
    setup.retrain(2)
    assert not setup.worker.jobs[-1].still
    np.testing.assert_array_equal(setup.worker.jobs[-1].before, coords(1))


def test_a_layout_with_items_placed_on_it_is_kept(tmp_path: Path) -> None:
    cache = LayoutCache(tmp_path)
    setup = Growing(cache=cache)
    setup.map.start()
    setup.worker.finish(coords(0)[:-5], local_trust=np.ones(N - 5, dtype=np.float32))
    setup.grow()
    setup.worker.finish(coords(0), local_trust=None)
    again = Setup(cache=cache)
    again.map.start()
    np.testing.assert_array_equal(again.map.coords, coords(0))
    assert again.worker.jobs == []


# ---------------------------------------------------------------------- two spaces


def test_without_a_model_there_is_no_space_of_its_own() -> None:
    setup = Setup()
    setup.map.start()
    with pytest.raises(ProjectionError, match="no model yet"):
        setup.map.show("model")
    with pytest.raises(ProjectionError, match="no space 'elsewhere'"):
        setup.map.show("elsewhere")  # type: ignore[arg-type]
    assert setup.map.space == "features"


def test_while_the_features_are_shown_a_retraining_lays_out_nothing() -> None:
    setup = Setup()
    setup.map.start()
    setup.worker.finish(coords(0))
    setup.retrain(1)
    assert len(setup.worker.jobs) == 1
    assert setup.events[-1] == "space"


def test_the_model_space_begins_from_nothing_turned_like_the_map() -> None:
    setup = Setup()
    setup.map.start()
    setup.worker.finish(coords(0))
    setup.retrain(1)
    revision = setup.map.revision
    setup.map.show("model")
    job = setup.worker.jobs[-1]
    assert job.span is None
    assert np.array_equal(job.before, coords(0))
    assert np.array_equal(job.features, rows(101, 3))
    assert setup.map.layout == "pca"
    setup.worker.finish(coords(1))
    assert np.array_equal(setup.map.coords, coords(1))  # type: ignore[arg-type]
    assert setup.map.revision == revision + 2


def test_after_a_retraining_it_goes_on_from_the_layout_before(laid_out: Setup) -> None:
    laid_out.events.clear()
    laid_out.retrain(2)
    job = laid_out.worker.jobs[-1]
    assert job.span == 9.0
    assert np.array_equal(job.before, coords(1))
    assert laid_out.map.layout == "umap"  # no PCA in between
    assert "points" not in laid_out.events
    laid_out.worker.finish(coords(2), span=8.0, moved=Moved(0.02, 0.01))
    assert laid_out.map.figures is not None
    assert laid_out.map.figures.moved == (0.02, 0.01)
    laid_out.retrain(3)
    assert laid_out.worker.jobs[-1].span == 8.0
    assert np.array_equal(laid_out.worker.jobs[-1].before, coords(2))


def test_the_scale_stays_while_layouts_fit_into_it(laid_out: Setup) -> None:
    first = laid_out.map.box
    assert first == pytest.approx((*coords(1).min(axis=0), *coords(1).max(axis=0)))
    laid_out.retrain(2)
    laid_out.worker.finish(0.9 * coords(1))
    assert laid_out.map.box == first
    laid_out.retrain(3)
    laid_out.worker.finish(1.2 * coords(1))
    assert laid_out.map.box == pytest.approx([1.2 * edge for edge in first or ()])
    laid_out.map.show("features")
    assert laid_out.map.box == pytest.approx((*coords(0).min(axis=0), *coords(0).max(axis=0)))


def test_models_that_come_during_a_layout_are_laid_out_once(laid_out: Setup) -> None:
    before = len(laid_out.worker.jobs)
    for version in (2, 3, 4, 5):
        laid_out.retrain(version)
    assert len(laid_out.worker.jobs) == before + 1
    laid_out.worker.finish(coords(2))
    assert len(laid_out.worker.jobs) == before + 2
    assert np.array_equal(laid_out.worker.jobs[-1].features, rows(105, 3))
    laid_out.worker.jobs[-1].on_done(coords(5))
    assert len(laid_out.worker.jobs) == before + 2


def test_each_space_keeps_its_layout(laid_out: Setup) -> None:
    jobs = len(laid_out.worker.jobs)
    laid_out.map.show("features")
    assert np.array_equal(laid_out.map.coords, coords(0))  # type: ignore[arg-type]
    laid_out.retrain(2)
    laid_out.map.show("features")
    assert len(laid_out.worker.jobs) == jobs
    laid_out.map.show("model")
    assert np.array_equal(laid_out.map.coords, coords(1))  # type: ignore[arg-type]
    assert len(laid_out.worker.jobs) == jobs + 1  # the model is another one meanwhile


def test_what_goes_on_in_the_other_space_is_not_shown(laid_out: Setup) -> None:
    laid_out.retrain(2)
    laid_out.map.show("features")
    laid_out.events.clear()
    revision = laid_out.map.revision
    laid_out.worker.jobs[-1].on_progress(0.5, "Arranging")
    laid_out.worker.finish(coords(2))
    assert laid_out.events == []
    assert laid_out.map.progress == (None, None)
    assert laid_out.map.revision == revision
    laid_out.map.show("model")
    assert np.array_equal(laid_out.map.coords, coords(2))  # type: ignore[arg-type]


def test_the_map_shows_what_it_has_until_there_is_something_of_the_model() -> None:
    later: list[Callable[[], None]] = []
    setup = Setup(run=later.append)
    setup.map.start()
    later.pop()()
    setup.retrain(1)
    setup.map.show("model")
    assert setup.map.space == "model"
    assert setup.map.current[1] == "pca"
    assert setup.map.progress[1] == "Reading the features…"
    setup.worker.finish(coords(0))
    assert setup.map.current[1] == "umap"
    assert np.array_equal(setup.map.coords, coords(0))  # type: ignore[arg-type]


def test_a_model_without_numbers_leaves_the_map_as_it_is() -> None:
    def fails(_: object) -> Array:
        raise ProjectionError("The model gives NaN for row 3.")

    setup = Setup()
    setup.map.start()
    setup.worker.finish(coords(0))
    setup.retrain(1, fails)
    setup.map.show("model")
    assert "row 3" in str(setup.map.problem)
    assert setup.map.space == "features"
    assert np.array_equal(setup.map.coords, coords(0))  # type: ignore[arg-type]
    setup.retrain(2)
    setup.map.show("model")
    assert setup.map.problem is None
    assert setup.map.space == "model"


def test_a_retraining_that_cannot_be_laid_out_leaves_the_layout(laid_out: Setup) -> None:
    def fails(_: object) -> Array:
        raise RuntimeError("out of memory")

    laid_out.retrain(2, fails)
    assert "RuntimeError: out of memory" in str(laid_out.map.problem)
    assert laid_out.map.space == "model"
    assert np.array_equal(laid_out.map.coords, coords(1))  # type: ignore[arg-type]
    laid_out.retrain(3)
    laid_out.worker.finish(coords(3))
    assert laid_out.map.problem is None


@pytest.mark.parametrize("space", ["features", "model"])
def test_items_that_are_all_the_same_are_told(space: str) -> None:
    setup = Setup()
    equal = np.ones((N, 3), dtype=np.float32)
    if space == "features":
        setup.map._spaces["features"]._read = lambda _: (equal, 1)
    setup.map.start()
    if space == "model":
        setup.worker.finish(coords(0))
        setup.retrain(1, lambda _: equal)
        setup.map.show("model")
    assert "All 40 items are the same" in str(setup.map.problem)
    assert not setup.map.coords.any()  # type: ignore[union-attr]
    setup.worker.finish(np.zeros((N, 2), dtype=np.float32), quality=None, local_trust=None)
    assert setup.map.problem is not None
    assert setup.map.layout == "umap"


def test_a_retraining_under_way_prepares_the_worker(laid_out: Setup) -> None:
    laid_out.map.prepare()
    assert laid_out.worker.starts == 1
    laid_out.map.show("features")
    laid_out.map.prepare()
    assert laid_out.worker.starts == 1


# ---------------------------------------------------------------------- giving up


def test_a_layout_can_be_stopped_and_gone_on_with() -> None:
    setup = Setup()
    setup.map.start()
    (job,) = setup.worker.jobs
    assert setup.map.busy
    assert not setup.map.stopped
    setup.map.cancel()
    assert setup.worker.cancelled == [job]
    assert setup.map.stopped
    assert setup.map.progress == (None, None)
    job.on_done(coords(0))  # too late
    job.on_progress(0.3, "Arranging")
    job.on_error(ProjectionError("gone"))
    assert setup.map.layout == "pca"
    assert setup.map.progress == (None, None)
    assert setup.map.problem is None
    setup.map.cancel()
    assert setup.worker.cancelled == [job]
    setup.map.show("features")
    assert len(setup.worker.jobs) == 2
    assert not setup.map.stopped


def test_a_refresh_that_was_stopped_waits_for_the_next_model(laid_out: Setup) -> None:
    laid_out.retrain(2)
    laid_out.map.cancel()
    assert np.array_equal(laid_out.map.coords, coords(1))  # type: ignore[arg-type]
    jobs = len(laid_out.worker.jobs)
    laid_out.map.refresh()
    assert len(laid_out.worker.jobs) == jobs
    laid_out.retrain(3)
    assert len(laid_out.worker.jobs) == jobs + 1
    assert laid_out.worker.jobs[-1].span == 9.0


def test_reading_is_stopped_between_chunks() -> None:
    later: list[Callable[[], None]] = []
    setup = Setup(run=later.append)
    setup.map.start()
    later.pop()()
    setup.worker.finish(coords(0))
    later.clear()
    seen: list[bool] = []

    def read(should_stop: Callable[[], bool]) -> Array:
        seen.append(should_stop())
        setup.map.cancel()
        seen.append(should_stop())
        raise Stopped

    setup.retrain(1, read)
    setup.map.show("model")
    later.pop()()
    assert seen == [False, True]
    assert setup.map.problem is None
    assert len(setup.worker.jobs) == 1


# ---------------------------------------------------------------------- on disk


def test_a_finished_layout_is_there_at_once_the_next_time(tmp_path: Path) -> None:
    first = Setup(cache=LayoutCache(tmp_path))
    first.map.start()
    first.worker.finish(coords(0))
    assert len(list(tmp_path.iterdir())) == 1

    again = Setup(cache=LayoutCache(tmp_path))
    again.map.start()
    assert again.worker.jobs == []
    assert again.events == ["points", "progress", "figures"]
    assert again.map.layout == "umap"
    assert np.array_equal(again.map.coords, coords(0))  # type: ignore[arg-type]
    assert again.map.figures is not None
    assert again.map.figures.quality == QUALITY
    assert np.array_equal(again.map.local_trust, first.map.local_trust)  # type: ignore[arg-type]
    assert not again.map.busy


def test_the_model_space_is_not_kept(tmp_path: Path) -> None:
    setup = Setup(cache=LayoutCache(tmp_path))
    setup.map.start()
    setup.worker.finish(coords(0))
    setup.retrain(1)
    setup.map.show("model")
    setup.worker.finish(coords(1))
    assert len(list(tmp_path.iterdir())) == 1


def kept(seed: int = 0) -> Kept:
    trust = np.linspace(0, 1, N, dtype=np.float32)
    return Kept(coords(seed), Figures(7.5, QUALITY, Moved(0.2, 0.1), trust))


def test_the_file_depends_on_all_that_the_layout_depends_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = LayoutCache(tmp_path)
    path = cache.path(rows(), seed=0, min_dist=0.5)
    assert path == cache.path(rows(), min_dist=0.5, seed=0)
    assert path == cache.path(np.asfortranarray(rows()), seed=0, min_dist=0.5)
    changed = rows()
    changed[3, 2] += 1e-6
    others = [
        cache.path(changed, seed=0, min_dist=0.5),
        cache.path(rows(), seed=1, min_dist=0.5),
        cache.path(rows(), seed=0, min_dist=0.1),
        cache.path(rows().reshape(-1, 1), seed=0, min_dist=0.5),
    ]
    monkeypatch.setattr("alwidgets.projection.kept.version", lambda _: "99")
    others.append(cache.path(rows(), seed=0, min_dist=0.5))
    assert len({path, *others}) == 6


def test_there_and_back_without_pickle(tmp_path: Path) -> None:
    cache = LayoutCache(tmp_path / "not" / "there")
    path = cache.path(rows())
    assert cache.read(path, N) is None
    assert not cache.has((N, 5))
    cache.write(path, kept())
    assert cache.has((N, 5))
    assert not cache.has((N, 6))
    found = cache.read(path, N)
    assert found is not None
    assert np.array_equal(found.coords, coords(0))
    assert found.figures.quality == QUALITY
    assert found.figures.moved == (0.2, 0.1)
    assert found.figures.span == 7.5
    with np.load(path, allow_pickle=False) as file:
        assert json.loads(str(file["about"]))["span"] == 7.5
    assert [p.suffix for p in path.parent.iterdir()] == [".npz"]


@pytest.mark.parametrize("damage", ["half", "empty", "other", "pickled", "short"])
def test_a_damaged_file_is_none_and_written_anew(
    tmp_path: Path, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    cache = LayoutCache(tmp_path)
    setup = Setup(cache=cache)
    path = cache.path(rows(), seed=0, min_dist=0.5)
    cache.write(path, kept())
    if damage == "half":
        path.write_bytes(path.read_bytes()[:300])
    elif damage == "empty":
        path.write_bytes(b"")
    elif damage == "other":
        np.savez(path, something=np.zeros(3))
    elif damage == "pickled":
        np.savez(path, coords=np.array([{}]), trust=np.zeros(0), about="{}")
    else:
        cache.write(path, kept()._replace(coords=coords(0)[:3]))
    setup.map.start()
    assert setup.map.layout == "pca"
    setup.worker.finish(coords(4))
    found = cache.read(path, N)
    assert found is not None
    assert np.array_equal(found.coords, coords(4))
    assert setup.map.problem is None


def test_a_folder_that_cannot_be_written_is_told_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("in the way")
    cache = LayoutCache(tmp_path / "file")
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            cache.write(cache.path(rows()), kept())
    (record,) = caplog.records
    assert "ALWIDGETS_CACHE" in record.getMessage()
    assert not cache.has((N, 5))


# ---------------------------------------------------------------------- a session's map


class FakeSession:
    task = Classification(["ham", "spam"])

    class pool:
        features = rows()

    def __init__(self) -> None:
        self.current: Any = None


class Learner:
    def predict_proba(self, X: Array) -> Array:
        return np.full((len(X), 2), 0.5, dtype=np.float32)

    def posterior(self, X: Array) -> Array:
        return np.stack([self.predict_proba(X)] * 3)

    def embed(self, X: Array) -> Array:
        return X[:, :2] ** 3


def test_a_session_map_reads_its_newest_model(cache: Path) -> None:
    session = FakeSession()
    made = shared_map(session)
    heard: list[str] = []
    made.on_change(heard.append)
    assert made.model_version == 0
    session.current = SimpleNamespace(version=0, predictions=None, learner=Learner())
    assert made.model_version == 0
    session.current = SimpleNamespace(version=3, predictions=np.zeros(N), learner=Learner())
    made.refresh()
    assert heard == ["space"]
    assert made.model_version == 3
    model = made._model()
    assert model is not None
    assert model.read(lambda: False) == pytest.approx(rows()[:, :2] ** 3)
    del session
    gc.collect()
    assert made._closed
    assert made.model_version == 0
