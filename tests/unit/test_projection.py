"""Layouts without a process, outliers, colours, frames, and the map that is shared."""

from __future__ import annotations

import gc
import io
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.neighbors import NearestNeighbors

from alwidgets.errors import ProjectionError
from alwidgets.projection import Map, knn_outlier, pca, shared_map
from alwidgets.projection.colours import category_codes, ramp_codes, usual_range
from alwidgets.projection.frames import read_frame, write_frame
from alwidgets.projection.linear import ROWS, lie_down
from alwidgets.tasks import Classification

Array = np.ndarray[Any, Any]


def blobs(n: int, d: int = 8, seed: int = 0) -> Array:
    rng = np.random.default_rng(seed)
    centres = rng.normal(scale=4, size=(3, d))
    return (centres[rng.integers(0, 3, n)] + rng.normal(size=(n, d))).astype(np.float32)


# ---------------------------------------------------------------------- PCA


@pytest.mark.parametrize("n", [200, ROWS + 1_000])
def test_pca_agrees_with_scikit_learn(n: int) -> None:
    features = blobs(n)
    ours, theirs = pca(features), PCA(2).fit_transform(features)
    for axis in range(2):
        assert abs(np.corrcoef(ours[:, axis], theirs[:, axis])[0, 1]) > 0.999


def test_pca_fills_the_square_with_one_scale() -> None:
    coords = pca(blobs(300))
    assert coords.dtype == np.float32
    assert np.abs(coords).max() == pytest.approx(1)
    theirs = PCA(2).fit_transform(blobs(300))
    ratio = np.ptp(theirs, axis=0) / np.ptp(coords, axis=0)
    assert ratio[0] == pytest.approx(ratio[1], rel=1e-3)


def test_pca_is_the_same_for_the_same_seed() -> None:
    features = blobs(ROWS + 500)
    assert np.array_equal(pca(features, 3), pca(features, 3))
    assert not np.array_equal(pca(features, 3), pca(features, 4))


@pytest.mark.parametrize(
    "features",
    [
        np.ones((1, 5)),
        np.ones((6, 4)),
        np.arange(5.0)[:, None],
        np.arange(6.0).reshape(3, 2) * 1e30,
        np.eye(2),
        blobs(20).astype(np.float16),
    ],
    ids=["one", "equal", "one feature", "huge", "two", "half"],
)
def test_pca_of_unusual_features(features: Array) -> None:
    coords = pca(features)
    assert coords.shape == (len(features), 2)
    assert np.isfinite(coords).all()
    varies = bool((features != features[0]).any())
    assert bool(coords.any()) == varies


def test_pca_names_the_row_that_is_not_finite() -> None:
    features = blobs(30)
    features[7, 2] = np.nan
    with pytest.raises(ProjectionError, match="Row 7"):
        pca(features)
    far = blobs(ROWS * 3)
    far[ROWS * 2 + 5, 0] = np.inf
    with pytest.raises(ProjectionError, match=f"Row {ROWS * 2 + 5}"):
        pca(far)


@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (3,)])
def test_pca_needs_a_table(shape: tuple[int, ...]) -> None:
    with pytest.raises(ProjectionError, match="shape"):
        pca(np.zeros(shape))


def test_lying_down_turns_and_keeps_distances() -> None:
    tall = (np.random.default_rng(0).normal(size=(80, 2)) * [1, 9]).astype(np.float32)
    lying = lie_down(tall)
    assert lying[:, 0].std() > 8 > 2 > lying[:, 1].std()
    before = np.linalg.norm(tall[:40] - tall[40:], axis=1)
    assert np.linalg.norm(lying[:40] - lying[40:], axis=1) == pytest.approx(before, rel=1e-4)


# ---------------------------------------------------------------------- outliers


def oracle(features: Array, k: int) -> Array:
    found = NearestNeighbors(n_neighbors=k + 1).fit(features).kneighbors(features)[0][:, 1:]
    mean = found.mean(axis=1)
    return (mean - mean.min()) / np.ptp(mean)


@pytest.mark.parametrize(("n", "k"), [(50, 5), (900, 10)])
def test_outliers_agree_with_scikit_learn(n: int, k: int) -> None:
    features = blobs(n) + 100  # far from zero: differences of large squares lose digits
    assert knn_outlier(features, k) == pytest.approx(oracle(features, k), abs=2e-5)


def test_outliers_by_chunks_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    features = blobs(500)
    whole = knn_outlier(features)
    monkeypatch.setattr("alwidgets.projection.outliers.CELLS", 500 * 7)
    assert knn_outlier(features) == pytest.approx(whole, abs=1e-6)


def test_an_item_far_out_has_the_score_one() -> None:
    features = blobs(400)
    features[123] += 50
    scores = knn_outlier(features)
    assert scores.argmax() == 123
    assert scores[123] == 1
    assert scores.min() == 0


def test_large_pools_are_scored_against_a_subset() -> None:
    features = blobs(3_000)
    features[[10, 2_000]] += 40
    scores = knn_outlier(features, exact=1_000, seed=1)
    assert set(np.argsort(scores)[-2:]) == {10, 2_000}
    exact = knn_outlier(features)
    assert np.corrcoef(np.argsort(np.argsort(scores)), np.argsort(np.argsort(exact)))[0, 1] > 0.8
    assert np.array_equal(scores, knn_outlier(features, exact=1_000, seed=1))


def test_outliers_of_unusual_features() -> None:
    assert knn_outlier(np.ones((1, 3))).tolist() == [0]
    assert knn_outlier(np.ones((5, 3))).tolist() == [0] * 5
    assert knn_outlier(np.eye(3), k=10).shape == (3,)
    with pytest.raises(ValueError, match="k must be"):
        knn_outlier(np.eye(3), k=0)
    with pytest.raises(ProjectionError):
        knn_outlier(np.zeros((0, 3)))


# ---------------------------------------------------------------------- colours


def test_class_codes() -> None:
    assert category_codes(np.array([0, -1, 1, 7]), 4, 2).tolist() == [0, 255, 1, 255]
    assert category_codes(None, 3, 2).tolist() == [255] * 3
    many = category_codes(np.array([254, -1]), 2, 255)
    assert (many.dtype.itemsize, many.tolist()) == (2, [254, 65_535])
    assert category_codes(np.array([253]), 1, 254).dtype == np.uint8


def test_ramp_codes() -> None:
    values = np.array([-1, 0, 0.5, 1, 2, np.nan])
    assert ramp_codes(values, 0, 1).tolist() == [0, 0, 127, 254, 254, 255]
    assert ramp_codes(values, 1, 1).tolist() == [0] * 5 + [255]


def test_one_item_far_out_does_not_take_the_whole_ramp() -> None:
    low, high = usual_range(np.r_[np.linspace(0, 0.1, 999), 1.0])
    assert (low, high) == (0, pytest.approx(0.1, rel=0.02))
    assert usual_range(np.r_[np.zeros(999), 1.0]) == (0, 1)


# ---------------------------------------------------------------------- frames


def test_frames_there_and_back() -> None:
    pipe, rows = io.BytesIO(), blobs(10, 3)
    write_frame(pipe, {"type": "umap"}, (10, 3), [rows[:4], rows[4:]])
    write_frame(pipe, {"type": "x"})
    pipe.seek(0)
    header, table = read_frame(pipe)
    assert header == {"type": "umap", "shape": [10, 3]}
    assert np.array_equal(table, rows)  # type: ignore[arg-type]
    assert read_frame(pipe) == ({"type": "x"}, None)
    with pytest.raises(EOFError):
        read_frame(pipe)


@pytest.mark.parametrize("sent", [b'{"type": "um', b'{"shape": [2, 2]}\n123'])
def test_half_a_frame_is_an_end(sent: bytes) -> None:
    with pytest.raises(EOFError):
        read_frame(io.BytesIO(sent))


def test_what_is_no_frame_is_an_error() -> None:
    with pytest.raises(ValueError, match="not a frame"):
        read_frame(io.BytesIO(b"[1]\n"))


# ---------------------------------------------------------------------- the shared map


class FakeWorker:
    """Keeps the job until the test says how it goes on."""

    def __init__(self) -> None:
        self.jobs: list[dict[str, Any]] = []
        self.cancelled: list[object] = []

    def umap(self, features: Array, **job: Any) -> Any:
        self.jobs.append({"features": features, **job})
        return self.jobs[-1]

    def cancel(self, job: object) -> None:
        self.cancelled.append(job)


def at_once(work: Callable[[], None]) -> None:
    work()


def a_map(features: Array | Exception) -> tuple[Map, FakeWorker, list[str]]:
    def read() -> Array:
        if isinstance(features, Exception):
            raise features
        return features

    worker, events = FakeWorker(), []
    made = Map(read, seed=5, worker=worker, run=at_once)
    made.on_change(events.append)  # type: ignore[arg-type]
    return made, worker, events


def test_a_map_is_pca_first_and_umap_then() -> None:
    features = blobs(40)
    made, worker, events = a_map(features)
    assert made.current == (None, None, 0)
    made.start()
    made.start()
    (job,) = worker.jobs
    assert job["seed"] == 5
    coords, layout, revision = made.current
    assert np.array_equal(coords, pca(features, 5))  # type: ignore[arg-type]
    assert (layout, revision) == ("pca", 1)
    job["on_progress"](0.4, "Arranging")
    assert made.progress == (0.4, "Arranging")
    umap = np.zeros((40, 2), dtype=np.float32)
    job["on_done"](umap)
    assert made.current == (umap, "umap", 2)
    assert made.progress == (None, None)
    assert events == ["points", "progress", "progress", "points", "progress"]


def test_a_map_stays_as_it_is_when_umap_fails() -> None:
    made, worker, events = a_map(blobs(40))
    made.start()
    problem = ProjectionError("out of memory")
    worker.jobs[0]["on_error"](problem)
    assert made.problem is problem
    assert made.layout == "pca"
    assert made.progress == (None, None)
    assert events[-2:] == ["problem", "progress"]


def test_a_map_tells_when_features_cannot_be_read() -> None:
    made, worker, events = a_map(OSError("disk"))
    made.start()
    assert worker.jobs == []
    assert "OSError: disk" in str(made.problem)
    assert "problem" in events
    made.measure_outliers()
    assert "outliers could not be measured" in str(made.problem)
    assert not made.measuring


def test_outliers_are_measured_once() -> None:
    made, _, events = a_map(blobs(60))
    assert made.outliers is None
    made.measure_outliers()
    first = made.outliers
    made.measure_outliers()
    assert made.outliers is first
    assert first is not None
    assert first == pytest.approx(knn_outlier(blobs(60)))
    assert events == ["outliers"]


def test_a_closed_map_gives_up_its_job_and_is_silent() -> None:
    made, worker, events = a_map(blobs(40))
    made.start()
    made.close()
    assert worker.cancelled == worker.jobs
    before = list(events)
    worker.jobs[0]["on_done"](np.zeros((40, 2), dtype=np.float32))
    made.measure_outliers()
    assert events == before
    assert made.outliers is None


def test_a_listener_that_fails_does_not_stop_the_others() -> None:
    made = Map(lambda: blobs(40), worker=FakeWorker(), run=at_once)
    heard: list[str] = []

    def fails(event: str) -> None:
        raise RuntimeError(event)

    made.on_change(fails)
    stop = made.on_change(heard.append)
    made.start()
    assert heard == ["points", "progress"]
    stop()
    stop()
    made._tell("points")
    assert heard == ["points", "progress"]


class FakeSession:
    task = Classification(["ham", "spam"])
    current: Any = None

    class pool:
        features = blobs(30)

    def __init__(self) -> None:
        self.listeners: dict[str, Callable[..., object]] = {}

    def on(self, event: str, listener: Callable[..., object]) -> Callable[[], None]:
        self.listeners[event] = listener
        return lambda: None


def test_a_session_has_one_map_and_takes_it_along() -> None:
    session, other = FakeSession(), FakeSession()
    made = shared_map(session)
    assert shared_map(session) is made
    assert shared_map(other) is not made
    assert not made._closed
    del session
    gc.collect()
    assert made._closed


def test_many_threads_get_the_same_map() -> None:
    session = FakeSession()
    found: list[Map] = []
    threads = [threading.Thread(target=lambda: found.append(shared_map(session))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({id(one) for one in found}) == 1
