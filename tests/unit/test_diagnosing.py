"""What a session says of where its model is wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix

import alwidgets as al
from alwidgets.diagnosing import REGION
from alwidgets.ingest.ids import given_ids
from alwidgets.projection import shared_map
from alwidgets.readings import audit_sample
from alwidgets.slicing import MISSING, ROWS, parts_of

N, NAMES = 300, ["ham", "spam", "news"]
RNG = np.random.default_rng(0)
TRUTH = RNG.choice(3, N, p=(0.5, 0.3, 0.2))
HARD = np.arange(N) % 3 == 0
X = (2.5 * np.eye(3, 6)[TRUTH] + RNG.normal(size=(N, 6))).astype(np.float32)
X[HARD] = RNG.normal(size=(HARD.sum(), 6))
SENDERS = np.where(HARD, "carol", np.where(np.arange(N) % 3 == 1, "alice", "bob")).tolist()
LENGTHS = RNG.permutation(N).tolist()


def make(store: Any = None, task: Any = None, **options: Any) -> al.Session:
    metadata = {"sender": SENDERS, "length": LENGTHS, "id": [f"no {k}" for k in range(N)]}
    pool = al.Pool.from_arrays(X, ids=range(N), metadata=metadata)
    given = {"batch_size": 20, "audit": 0.5, "executor": al.InlineExecutor()} | options
    return al.Session(pool, task or al.Classification(NAMES), store, **given)


def label(session: al.Session, n: int, answer: Callable[[int], Any] | None = None) -> None:
    for _ in range(n):
        item = session.next()[0]
        session.record(item.id, answer(item.index) if answer else NAMES[TRUTH[item.index]])


@pytest.fixture(scope="module")
def session() -> Iterator[al.Session]:
    """Labelled, and not to be changed."""
    with closing(make()) as made:
        label(made, 180)
        made.slices["first ones"] = [str(k) for k in range(60)]
        yield made


def test_the_confusion_is_that_of_the_audit_labels(session: al.Session) -> None:
    items = audit_sample(session._ledger).items
    said = [NAMES.index(answer) for answer in session.predict(X[items])]
    found = session.confusion()
    assert len(items) > 60
    assert (found.counts == confusion_matrix(TRUTH[items], said, labels=range(3))).all()
    assert (found.shares.low <= found.shares.value).all()
    judged = session.judged()
    assert judged.items.tolist() == items.tolist()
    assert (judged.said == said).all()
    assert judged.estimate("accuracy") == session.estimate()
    assert (
        judged.estimate("recall", 1).value == session.estimate("recall", by="class").value.iloc[1]
    )


def test_training_labels_are_counted_and_have_no_interval(session: al.Session) -> None:
    found, judged = session.confusion("train"), session.judged("train")
    assert not session.reserved[judged.items].any()
    assert found.counts.sum() == len(judged) > 60
    assert np.isnan(found.rates.low).all()
    accuracy = judged.estimate("accuracy")
    assert accuracy.value == pytest.approx(judged.right.mean())
    assert np.isnan(accuracy.low)
    assert "not drawn at random" in accuracy.method
    assert np.isnan(judged.estimate("f1").high)
    with pytest.raises(al.AlwidgetsError, match="'audit' or 'train'"):
        session.confusion("test")  # type: ignore[arg-type]


def test_the_hardest_labels_come_first(session: al.Session) -> None:
    table = session.hardest(None)
    assert table["loss"].is_monotonic_decreasing
    assert set(table["use"]) == {"audit"}
    items = table.index.astype(int)
    proba = session.predict_proba(X[items])
    given = np.array([NAMES.index(answer) for answer in table["answer"]])
    np.testing.assert_allclose(table["probability"], proba[np.arange(len(items)), given], rtol=1e-5)
    np.testing.assert_allclose(table["confidence"], proba.max(axis=1), rtol=1e-5)
    assert (table["right"] == (table["answer"] == table["predicted"])).all()
    assert session.hardest(5).equals(table[:5])
    of_training = session.hardest(3, "train")
    assert set(of_training["use"]) == {"train"}
    assert not session.reserved[of_training.index.astype(int)].any()
    with pytest.raises(al.AlwidgetsError, match="at least 1"):
        session.hardest(0)


def test_the_slice_that_is_hard_is_the_worst(session: al.Session) -> None:
    table = session.worst_slices()
    first = table.iloc[0]
    assert (first["by"], first["part"], first["worse"]) == ("sender", "carol", True)
    assert first["error"] - first["rest"] == pytest.approx(first["difference"])
    # What has a value of its own for every item is left out; numbers come in ranges.
    assert set(table["by"]) == {"sender", "length", "first ones"}
    assert (table["by"] == "length").sum() == 4
    # Of a slice and what is not in it only the slice.
    assert (table["by"] == "first ones").sum() == 1
    part = session.estimate("error", by="sender").loc["carol"]
    assert (first["error"], first["n"]) == (pytest.approx(part["value"]), part["n"])


def test_the_items_of_a_slice_are_all_of_the_pool(session: al.Session) -> None:
    assert session.slice_items("sender", "carol").tolist() == np.flatnonzero(HARD).tolist()
    assert session.slice_items("first ones", "first ones").tolist() == list(range(60))
    ranges = [part for by, part in session.worst_slices()[["by", "part"]].values if by == "length"]
    found = [session.slice_items("length", part) for part in ranges]
    # Together they are the pool, each item once, although they were cut by the audit items.
    assert sorted(np.concatenate(found).tolist()) == list(range(N))
    for wrong in (("sender", "dave"), ("size", "large"), (REGION, "nowhere")):
        with pytest.raises(al.AlwidgetsError, match=r"no (part|slice|region)|no slice and no"):
            session.slice_items(*wrong)


def test_members_are_those_that_the_parts_hold() -> None:
    n = 2 * ROWS + 7  # in three steps
    rng = np.random.default_rng(3)
    columns = {
        "number": [None if k % 9 == 0 else float(v) for k, v in enumerate(rng.normal(size=n))],
        "text": [None if k % 7 == 0 else "abc"[k % 3] for k in range(n)],
    }
    ids = given_ids([f"item {k}" for k in range(n)])
    slices = {"some": [ids[k] for k in range(n - 1, 0, -5)] + ["gone"]}
    for by, count in (("number", 5), ("text", 4), ("some", 2)):
        parts = parts_of(by, np.arange(n), ids, slices, columns)
        assert len(parts) == count
        for part in parts.values():
            assert part.members().tolist() == np.flatnonzero(part.inside).tolist()
        assert sum(part.inside.sum() for part in parts.values()) == n


def test_a_number_and_the_text_of_it_are_two_parts() -> None:
    column = [1, "1", "1", None, "(missing)", 2, 1, 1]
    ids = given_ids([str(k) for k in range(len(column))])
    parts = parts_of("mixed", np.arange(len(column)), ids, {}, {"mixed": column})
    assert {name: part.members().tolist() for name, part in parts.items()} == {
        "1": [0, 6, 7],
        "'1'": [1, 2],
        MISSING: [3],
        "'(missing)'": [4],
        "2": [5],
    }


def test_what_is_no_number_is_in_no_range() -> None:
    column = [*range(100), "many", None]
    ids = given_ids([str(k) for k in range(len(column))])
    parts = parts_of("size", np.arange(100), ids, {}, {"size": column})
    found = np.concatenate([part.members() for part in parts.values()])
    assert sorted(found.tolist()) == list(range(100))


def test_a_whole_number_beyond_all_others_is_in_the_last_range() -> None:
    column = [*range(98), 10**400, -(10**400)]
    ids = given_ids([str(k) for k in range(len(column))])
    parts = parts_of("size", np.arange(100), ids, {}, {"size": column})
    first, *_, last = (part.members().tolist() for part in parts.values())
    assert (98 in last, 99 in first) == (True, True)


def test_a_slice_called_others_is_that_slice() -> None:
    ids = given_ids([str(k) for k in range(60)])
    parts = parts_of("others", np.arange(60), ids, {"others": ["1", "2"]}, {})
    assert {name: len(part.members()) for name, part in parts.items()} == {
        "others": 2,
        "not others": 58,
    }


def test_a_value_called_others_is_a_slice_like_any() -> None:
    metadata = {"kind": ["others" if hard else "usual" for hard in HARD]}
    pool = al.Pool.from_arrays(X, ids=range(N), metadata=metadata)
    options: Any = {"batch_size": 20, "audit": 0.5, "executor": al.InlineExecutor()}
    with closing(al.Session(pool, al.Classification(NAMES), **options)) as session:
        label(session, 100)
        assert set(session.worst_slices()["part"]) == {"others", "usual"}


def test_a_slice_of_a_list_stays_as_it_was_cut_for_it() -> None:
    with closing(make()) as session:
        label(session, 80)
        before = {gap.name: part for gap, part in session.ranked_slices()}
        names = [name for name in before if name[0] == "length"]
        found = [session.slice_items(*name) for name in names]
        label(session, 60)
        now = {gap.name for gap, _ in session.ranked_slices()}
        assert not set(names) <= now  # the audit has grown, and cuts elsewhere
        for name, items in zip(names, found, strict=True):
            assert before[name].members().tolist() == items.tolist()


def test_regions_of_the_map_are_slices_once_there_is_a_layout() -> None:
    with closing(make()) as session:
        label(session, 120)
        assert REGION not in set(session.worst_slices()["by"])
        shared_map(session)._spaces["features"].coords = X[:, :2]
        table = session.worst_slices()
        regions = table[table["by"] == REGION]
        assert len(regions) > 1
        items = [session.slice_items(REGION, part) for part in regions["part"]]
        assert len(np.unique(np.concatenate(items))) == sum(map(len, items))
        audited = audit_sample(session._ledger).items
        counts = [np.isin(audited, members).sum() for members in items]
        assert regions["n"].to_list() == counts


def test_calibration_and_temperature(session: al.Session) -> None:
    found, judged = session.calibration(), session.judged()
    assert found.n == len(judged) == sum(part.accuracy.n for part in found.bins)
    assert found.excess.value == pytest.approx((judged.confidence - judged.right).mean())
    best = session.best_temperature()
    assert best.low < best.value < best.high


def test_what_two_models_say_differently(tmp_path: Path) -> None:
    with closing(make(tmp_path / "labels.db")) as session:
        label(session, 160)
        first, last = session.rounds[0].version, session.rounds[-1].version
        table = session.flipped(last, first)
        now, before = session.predictions(last), session.predictions(first)
        labelled = session.label_codes() >= 0
        # What waits for the audit without a label stays out of it.
        expected = np.flatnonzero((now != before) & (~session.reserved | labelled))
        assert table.index.astype(int).tolist() == expected.tolist()
        assert len(expected) > 0
        assert table["predicted"].to_list() == [NAMES[code] for code in now[expected]]
        assert table["before"].to_list() == [NAMES[code] for code in before[expected]]
        answers = session.label_codes()[expected]
        assert table["answer"].to_list() == [NAMES[c] if c >= 0 else None for c in answers]
        assert session.flipped(last, last).empty
        with pytest.raises(al.AlwidgetsError, match="no round 99"):
            session.flipped(99, 1)
    with closing(make(tmp_path / "labels.db")) as again:
        assert again.flipped(last, first).equals(table)
        assert again.confusion().counts.sum() > 0


def test_before_there_is_anything_to_say() -> None:
    with closing(make()) as session:
        for ask in (
            session.confusion,
            session.calibration,
            session.best_temperature,
            session.worst_slices,
            session.hardest,
        ):
            with pytest.raises(al.errors.LearnerError, match="no model yet"):
                ask()
    with closing(make(audit=0)) as session:
        label(session, 40)
        assert session.confusion().counts.sum() == 0
        assert session.calibration().why_not == "no audit labels yet"
        assert not session.best_temperature().known
        assert session.hardest().empty
        assert session.worst_slices()["n"].sum() == 0
    with (
        closing(make(task=al.Correction())) as session,
        pytest.raises(al.AlwidgetsError, match="no"),
    ):
        session.confusion()


def test_classes_that_were_merged_are_one() -> None:
    with closing(make()) as session:
        label(session, 120)
        session.merge_classes("news", "spam")
        found, judged = session.confusion(), session.judged()
        assert found.rows == ("ham", "spam")
        assert judged.proba.shape[1] == 2
        np.testing.assert_allclose(judged.proba.sum(axis=1), 1, rtol=1e-5)
        truth = np.minimum(TRUTH[judged.items], 1)
        assert (judged.truth == truth).all()
        assert found.counts.sum() == len(truth)


def test_a_class_that_the_model_has_not_heard_of() -> None:
    with closing(make()) as session:
        label(session, 120)
        session.add_class("odd")
        found = session.confusion()
        assert found.rows[-1] == "odd"
        assert found.counts[-1].sum() == 0
        assert np.isnan(found.rates.value[-1]).all()
        assert session.best_temperature().known


def test_several_labels() -> None:
    task = al.MultiLabel(NAMES)
    with closing(make(task=task)) as session:
        label(session, 160, lambda k: sorted({NAMES[TRUTH[k]], *(["news"] if k % 4 == 0 else [])}))
        judged, found = session.judged(), session.confusion()
        assert found.rows[:2] == ("ham", "not ham")
        assert found.counts.sum() == 3 * len(judged)
        assert session.calibration().n == len(judged)
        assert session.best_temperature().known
        table = session.hardest(4)
        assert all(isinstance(answer, list) for answer in table["answer"])
        right = [set(a) == set(p) for a, p in zip(table["answer"], table["predicted"], strict=True)]
        assert table["right"].to_list() == right
        assert len(session.worst_slices()) > 0
