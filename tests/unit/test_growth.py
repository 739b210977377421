"""A pool that grows while it is in use, and the sessions that keep up with it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image as Pillow

import alwidgets as al
from alwidgets import readings
from alwidgets.audit import Audit
from alwidgets.errors import PoolError, StoreError
from alwidgets.trainer import InlineExecutor

RNG = np.random.default_rng(0)
N, MORE = 60, 20
Y = RNG.integers(0, 2, N + MORE)
X = (RNG.normal(size=(N + MORE, 4)) + 3 * np.eye(4)[Y]).astype(np.float32)
IDS = [f"item {i}" for i in range(N + MORE)]
TEXTS = [f"{'win a prize' if y else 'see you at'} {i}" for i, y in enumerate(Y)]
PIXELS = RNG.random((N + MORE, 4, 4))
FRAME = pd.DataFrame({"key": IDS, "text": TEXTS, "length": range(N + MORE), "vector": list(X)})


def of_frame(rows: slice) -> al.Pool:
    return al.Pool.from_frame(
        FRAME[rows], text="text", id="key", features="vector", metadata="length", render=card
    )


def card(row: dict[str, Any]) -> al.Text:
    return al.Text(row["text"].upper())


def arrays(rows: slice = slice(N)) -> al.Pool:
    return al.Pool.from_arrays(X[rows], ids=IDS[rows])


def session_of(pool: al.Pool, store: Path | None = None, **options: Any) -> al.Session:
    given = {"batch_size": 10, "executor": InlineExecutor()} | options
    return al.Session(pool, al.Classification(["no", "yes"]), store, **given)


def answer(session: al.Session, n: int) -> None:
    for item in session.next(n):
        session.record(item.id, ["no", "yes"][Y[IDS.index(item.id)]])


# ---------------------------------------------------------------------- the pool


KINDS: dict[str, tuple[Callable[[slice], al.Pool], Callable[[al.Pool, slice], list[str]]]] = {
    "frame": (of_frame, lambda pool, rows: pool.extend(FRAME[rows])),
    "texts": (
        lambda rows: al.Pool.from_texts(TEXTS[rows], features=X[rows]),
        lambda pool, rows: pool.extend(TEXTS[rows], features=X[rows]),
    ),
    "arrays": (
        lambda rows: al.Pool.from_arrays(X[rows]),
        lambda pool, rows: pool.extend(X[rows]),
    ),
    "arrays with content": (
        lambda rows: al.Pool.from_arrays(
            X[rows], content=TEXTS[rows], ids=IDS[rows], metadata={"y": Y[rows]}
        ),
        lambda pool, rows: pool.extend(
            X[rows], content=TEXTS[rows], ids=IDS[rows], metadata={"y": Y[rows]}
        ),
    ),
    "half precision": (
        lambda rows: al.Pool.from_arrays(X[rows].astype(np.float16), ids=IDS[rows]),
        lambda pool, rows: pool.extend(X[rows].astype(np.float16), ids=IDS[rows]),
    ),
    "images": (
        # One black and white for both, whatever the numbers of the second are.
        lambda rows: al.Pool.from_images(PIXELS[rows], features=X[rows]),
        lambda pool, rows: pool.extend(PIXELS[rows], features=X[rows]),
    ),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_pool_that_has_grown_is_the_pool_of_all_items(kind: str) -> None:
    make, extend = KINDS[kind]
    pool, whole = make(slice(N)), make(slice(None))
    assert pool.fingerprint != whole.fingerprint
    before = pool.features
    joined = extend(pool, slice(N, N + 5))
    joined += extend(pool, slice(N + 5, None))
    assert joined == list(whole.ids[N:])
    assert pool.ids == whole.ids
    assert pool.row_ids == whole.row_ids
    assert pool.fingerprint == whole.fingerprint
    assert pool.probes == whole.probes
    assert list(pool.contents) == list(whole.contents)
    assert pool.metadata == whole.metadata
    assert [pool.digest(i) for i in (0, N, -1)] == [whole.digest(i) for i in (0, N, -1)]
    assert pool.index(whole.ids[-1]) == N + MORE - 1
    np.testing.assert_array_equal(pool.features, whole.features)
    assert pool.features.dtype == whole.features.dtype
    np.testing.assert_array_equal(before, whole.features[:N])


def test_a_folder_of_images_grows_by_another(tmp_path: Path) -> None:
    for name, images in {"first": PIXELS[:3], "more": PIXELS[3:5]}.items():
        (tmp_path / name).mkdir()
        for i, image in enumerate(images):
            shades = (255 * image).astype(np.uint8)
            Pillow.fromarray(shades).save(tmp_path / name / f"{name}{i}.png")
    pool = al.Pool.from_images(tmp_path / "first")
    pool.extend(tmp_path / "more")
    files = ["first0.png", "first1.png", "first2.png", "more0.png", "more1.png"]
    assert pool.metadata["file"] == files
    names = [tmp_path / "more" / "more0.png", tmp_path / "more" / "more1.png"]
    np.testing.assert_allclose(pool.features[3:], pool.encode(names))


def test_the_encoder_stays_as_it_was_fitted() -> None:
    pool = al.Pool.from_texts(TEXTS[:N])
    before = pool.features.copy()
    pool.extend(TEXTS[N:])
    np.testing.assert_array_equal(pool.features[:N], before)
    np.testing.assert_allclose(pool.features[N:], pool.encode(TEXTS[N:]))


def test_a_few_that_join_are_not_a_copy_of_all() -> None:
    pool = arrays()
    pool.extend(X[N : N + 1], ids=IDS[N : N + 1])
    first = pool.features
    pool.extend(X[N + 1 : N + 3], ids=IDS[N + 1 : N + 3])
    assert np.shares_memory(first, pool.features)
    np.testing.assert_array_equal(pool.features, X[: N + 3])


def test_what_is_there_already_is_passed_over() -> None:
    pool = al.Pool.from_texts(["one", "two"])
    assert pool.extend(["two", "three", "three"]) == [pool.ids[2]]
    assert (len(pool), pool.duplicates, len(pool.row_ids)) == (3, 2, 5)
    named = arrays()
    assert named.extend(X[N - 1 : N + 1], ids=IDS[N - 1 : N + 1]) == [IDS[N]]
    assert named.extend(X[:0], ids=[]) == []


ERRORS: dict[str, tuple[Callable[[], al.Pool], dict[str, Any], str]] = {
    "an id that is taken": (arrays, {"new": X[N:], "ids": IDS[:MORE]}, "other content than row 0"),
    "an id twice": (arrays, {"new": X[N : N + 2], "ids": ["x", "x"]}, "in row 0 and in row 1"),
    "no ids": (arrays, {"new": X[N:]}, "give the new ones theirs"),
    "ids of hashes": (lambda: al.Pool.from_arrays(X), {"new": X, "ids": IDS}, "leave out"),
    "another width": (arrays, {"new": X[N:, :3], "ids": IDS[N:]}, "has 4 features"),
    "not finite": (arrays, {"new": X[N:] * np.inf, "ids": IDS[N:]}, "row 0 .item 'item 60'"),
    "features twice": (arrays, {"new": X[N:], "features": X, "ids": IDS[N:]}, "not for a pool"),
    "content of bare rows": (
        arrays,
        {"new": X[N:], "content": TEXTS[N:], "ids": IDS[N:]},
        "leave content",
    ),
    "no such metadata": (
        arrays,
        {"new": X[N:], "ids": IDS[N:], "metadata": {"a": range(MORE)}},
        "no metadata 'a'",
    ),
    "metadata left out": (
        lambda: al.Pool.from_texts(TEXTS, metadata={"a": range(N + MORE)}),
        {"new": ["new"]},
        "have no metadata 'a'",
    ),
    "no features": (lambda: al.Pool.from_texts(TEXTS, features=X), {"new": ["new"]}, "features=…"),
    "features of an encoder": (
        lambda: al.Pool.from_texts(TEXTS),
        {"new": ["new"], "features": X[:1]},
        "leave features",
    ),
    "a frame's ids": (lambda: of_frame(slice(N)), {"new": FRAME, "ids": IDS}, "not for a pool"),
    "rows of features": (
        lambda: al.Pool.from_texts(TEXTS, features=X),
        {"new": ["new", "newer"], "features": X[:1]},
        "1 rows of features",
    ),
}


@pytest.mark.parametrize("case", ERRORS)
def test_what_cannot_join_is_named_and_nothing_changes(case: str) -> None:
    make, given, message = ERRORS[case]
    pool = make()
    before = (list(pool.ids), len(pool.contents), len(pool.features), dict(pool.metadata))
    with pytest.raises(PoolError, match=message):
        pool.extend(given.pop("new"), **given)
    assert before == (list(pool.ids), len(pool.contents), len(pool.features), dict(pool.metadata))


def test_a_pool_on_disk_cannot_grow_and_says_what_to_do(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", X)
    mapped = al.Pool.from_arrays(tmp_path / "x.npy")
    pq.write_table(pa.table({"text": TEXTS}), tmp_path / "texts.parquet")
    filed = al.Pool.from_parquet(tmp_path / "texts.parquet", text="text", cache=tmp_path)
    for pool, new in ((mapped, X), (filed, TEXTS)):
        with pytest.raises(PoolError, match=r"cannot grow.*Make the pool anew of all items"):
            pool.extend(new)
    with pytest.raises(PoolError, match=r"Pool\.from_"):
        al.Pool([al.Text("one")]).extend(["two"])


# ---------------------------------------------------------------------- sessions


def test_a_session_keeps_up() -> None:
    pool = arrays()
    session = session_of(pool)
    told: list[object] = []
    for signal in ("grown", "notice", "queue"):
        session.on(signal, lambda *what, signal=signal: told.append((signal, *what)))
    answer(session, 25)
    session.retrain()
    before, estimate = session.labels(), session.estimate()
    session.selection.set(IDS[:3])
    pool.extend(X[N:], ids=IDS[N:])
    assert ("grown", MORE) in told
    assert ("notice", "20 new items are in the pool.") in told
    assert session.progress()["total"] == N + MORE
    pd.testing.assert_frame_equal(session.labels(), before)
    assert session.selection.ids == IDS[:3]
    # The model was asked about the new ones, without another fit.
    current = session.current
    assert current is not None
    assert current.predictions is not None
    assert current.version == session.version
    assert len(current.predictions) == N + MORE
    assert (current.predictions >= 0).all()
    expected = Audit(IDS, 0.15, session.seed)
    np.testing.assert_array_equal(session.reserved, expected.reserved)
    assert session.estimate().n <= estimate.n
    session.selection.set(np.arange(N + MORE) >= N)
    assert session.selection.ids == IDS[N:]
    session.queue(IDS[N : N + 2])
    assert session.upcoming()[:2] == IDS[N : N + 2]
    assert IDS[-1] in session.similar(IDS[-2], n=N + MORE).index
    assert len(session.scores("margin")) == N + MORE
    assert len(session.edge_cases(N + MORE, by="flipped")) <= N + MORE
    while session.next():
        answer(session, N + MORE)
    assert session.exhausted
    session.retrain()
    assert session.estimate().n == expected.reserved.sum()
    assert len(session.labels()) == N + MORE


def test_nothing_is_left_and_then_more_comes() -> None:
    pool = arrays()
    session = session_of(pool)
    while session.next():
        answer(session, N)
    assert session.exhausted
    pool.extend(X[N:], ids=IDS[N:])
    assert not session.exhausted
    assert {item.id for item in session.next(MORE)} == set(IDS[N:])


def test_every_session_of_the_pool_keeps_up_and_a_closed_one_is_left_alone() -> None:
    pool = arrays()
    one, other, closed = session_of(pool), session_of(pool, seed=1), session_of(pool)
    closed.close()
    pool.extend(X[N:], ids=IDS[N:])
    for session in (one, other):
        np.testing.assert_array_equal(session.reserved, Audit(IDS, 0.15, session.seed).reserved)
    assert len(closed.reserved) == N


class Growing(al.HeadEnsemble):
    """A learner in whose fit the pool grows, once."""

    grow: Callable[[], object] | None = None

    def fit(self, X: Any, y: Any, *, classes: int | None = None) -> Growing:
        if (grow := type(self).grow) is not None:
            type(self).grow = None
            grow()
        super().fit(X, y, classes=classes)
        return self


def test_a_fit_under_way_is_finished_and_published() -> None:
    pool = arrays()
    session = session_of(pool, learner=Growing(members=2))
    rounds: list[Any] = []
    session.on("round", rounds.append)
    answer(session, 12)
    version = session.version
    rounds.clear()
    Growing.grow = lambda: pool.extend(X[N:], ids=IDS[N:])
    session.retrain()
    fitted, looked = rounds
    assert (fitted.fitted, fitted.version) == (True, version + 1)
    assert (fitted.predictions[:N] >= 0).all()
    # What joined meanwhile is not known yet, and then it is.
    assert (fitted.predictions[N:] == -1).all()
    assert np.isnan(fitted.confidence[N:]).all()
    assert (looked.fitted, looked.version) == (False, version + 1)
    assert (looked.predictions >= 0).all()


def test_what_no_model_has_seen_yet_has_no_suggestion() -> None:
    pool = arrays()
    jobs: list[Callable[[], None]] = []
    later = SimpleNamespace(submit=jobs.append, join=lambda: None)
    session = session_of(pool, executor=later)
    jobs.pop()()
    answer_ids = IDS[:20]
    for item_id in answer_ids:
        session.record(item_id, ["no", "yes"][Y[IDS.index(item_id)]])
    while jobs:
        jobs.pop()()
    pool.extend(X[N:], ids=IDS[N:])
    new = next(i for i in range(N, N + MORE) if not session.reserved[i])
    assert session.suggestion(new) is None
    jobs.pop()()
    assert session.suggestion(new) is not None


def test_what_earlier_models_said_is_still_beside_the_right_labels() -> None:
    pool = arrays()
    session = session_of(pool, audit=0.4)
    answer(session, 30)
    answer(session, 15)
    figures = [session.estimate_rounds(hindsight=hindsight) for hindsight in (False, True)]
    first, last = session.rounds[0].version, session.rounds[-1].version
    compared = session.compare_rounds(first, last)
    assert compared.n > 3
    pool.extend(X[N:], ids=IDS[N:])
    assert [session.estimate_rounds(hindsight=h) for h in (False, True)] == figures
    assert session.compare_rounds(first, last) == compared
    batches = len(session.prequential())
    while session.next():
        answer(session, 5)
    session.retrain()
    # In hindsight the rounds before are of the items that there were, all of which are labelled.
    audited = session.reserved[:N].sum()
    assert session.estimate_rounds(hindsight=True)[0].n == audited
    assert session.estimate_rounds(hindsight=True)[-1].n == session.reserved.sum()
    assert session.compare_rounds(first, session.version).n == audited
    assert len(session.prequential()) > batches


# ---------------------------------------------------------------------- stores


def test_a_store_is_opened_again_with_the_grown_pool(tmp_path: Path) -> None:
    pool = arrays()
    session = session_of(pool, tmp_path / "a.db")
    answer(session, 25)
    session.retrain()
    pool.extend(X[N:], ids=IDS[N:])
    session.queue(IDS[N : N + 3])
    answer(session, 3)
    before, estimate, version = session.labels(), session.estimate(), session.version
    upcoming = session.upcoming()
    session.close()
    again = arrays()
    again.extend(X[N:], ids=IDS[N:])
    for whole in (again, arrays(slice(None))):
        session = session_of(whole, tmp_path / "a.db")
        pd.testing.assert_frame_equal(session.labels(), before)
        assert session.estimate() == estimate
        assert session.version == version  # the model was kept for the grown pool
        assert session.upcoming() == upcoming
        session.close()


def test_a_store_of_the_grown_pool_is_not_opened_with_the_first_items_alone(tmp_path: Path) -> None:
    pool = arrays()
    session = session_of(pool, tmp_path / "a.db")
    pool.extend(X[N:], ids=IDS[N:])
    session.close()
    with pytest.raises(StoreError, match=r"of 80 items.*extend it with the others first"):
        session_of(arrays(), tmp_path / "a.db")


def test_a_store_that_cannot_be_written_leaves_the_pool_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = arrays()
    session = session_of(pool, tmp_path / "a.db")

    def refuse(pool: al.Pool) -> None:
        raise StoreError("The disk is full.")

    monkeypatch.setattr(session.store, "keep_pool", refuse)
    with pytest.raises(StoreError, match="full"):
        pool.extend(X[N:], ids=IDS[N:])
    assert len(pool) == N
    monkeypatch.undo()
    assert pool.extend(X[N:], ids=IDS[N:]) == IDS[N:]
    assert len(session.reserved) == N + MORE


def test_frames_of_the_first_rows_and_of_all_can_be_joined() -> None:
    pool = of_frame(slice(N))
    session = session_of(pool)
    answer(session, 5)
    pool.extend(FRAME[N:])
    for rows in (slice(N), slice(None)):
        joined = session.join(FRAME[rows][["text"]])
        assert len(joined) == len(FRAME[rows])
        assert joined["answer"].notna().sum() == 5
    with pytest.raises(PoolError, match="80"):
        session.join(FRAME[:7][["text"]])


# ---------------------------------------------------------------------- the estimate


def test_the_estimate_of_the_grown_pool_has_no_bias() -> None:
    """The new items are harder: an estimate that left them out would be too low."""
    n, more, share, rng = 120, 80, 0.3, np.random.default_rng(1)
    wrong = np.r_[rng.random(n) < 0.1, rng.random(more) < 0.5]
    truth, found, naive = wrong.mean(), [], []
    ids = [str(i) for i in range(n + more)]
    for seed in range(600):
        audit = Audit(ids[:n], share, seed)
        standing = np.full(n + more, -1, dtype=np.int32)
        standing[audit.order[:20]] = 0  # drawn and answered before the others joined
        grown = audit.grown(ids)
        missing = [i for i in grown.order if standing[i] < 0][:8]  # drawn since, in order
        standing[missing] = 0
        drawn = standing[grown.order] == 0
        ledger: Any = SimpleNamespace(
            audit=grown,
            standing=standing,
            n_audited=len(drawn) if drawn.all() else int(np.argmin(drawn)),
            pool=ids,
        )
        sample = readings.audit_sample(ledger)
        assert sample.population == n + more
        if len(sample.items):
            estimate = sample.accuracy(np.where(wrong[sample.items], -1, 0))
            found.append(1 - estimate.value)
        naive.append(wrong[standing == 0].mean())
    error = np.std(found) / np.sqrt(len(found))
    assert len(found) > 590
    assert abs(np.mean(found) - truth) < 3 * error
    assert abs(np.mean(naive) - truth) > 6 * np.std(naive) / np.sqrt(len(naive))
