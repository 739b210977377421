"""What a session says of its model: by metric, class, slice and column, by round and by batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import f1_score, precision_score, recall_score

import alwidgets as al
from alwidgets.errors import AlwidgetsError
from alwidgets.evaluation import difference, lure
from alwidgets.ingest.ids import given_ids
from alwidgets.readings import audit_sample
from alwidgets.slicing import MISSING, parts_of

N, NAMES = 240, ["ham", "spam", "news"]
RNG = np.random.default_rng(0)
TRUTH = RNG.choice(3, N, p=(0.5, 0.3, 0.2))
X = (2.0 * np.eye(3, 6)[TRUTH] + RNG.normal(size=(N, 6))).astype(np.float32)
SENDERS = [("alice", "bob", None)[k % 3] for k in range(N)]
LENGTHS = RNG.integers(1, 1_000, N).tolist()


def make(store: Any = None, **options: Any) -> al.Session:
    pool = al.Pool.from_arrays(
        X, ids=range(N), metadata={"sender": SENDERS, "length": LENGTHS, "id": range(N)}
    )
    given = {"batch_size": 10, "audit": 0.4, "executor": al.InlineExecutor()} | options
    return al.Session(pool, al.Classification(NAMES), store, **given)


def label(session: al.Session, n: int, answer: Callable[[int], str] | None = None) -> None:
    for _ in range(n):
        item = session.next()[0]
        session.record(item.id, answer(item.index) if answer else NAMES[TRUTH[item.index]])


@pytest.fixture(scope="module")
def session() -> Iterator[al.Session]:
    """Labelled, and not to be changed."""
    made = make()
    label(made, 120)
    made.slices["odd ones"] = [str(k) for k in range(0, N, 5)]
    yield made
    made.close()


def audited(session: al.Session) -> tuple[Any, Any]:
    """What is so of the audit items, and what the model says."""
    items = audit_sample(session._ledger).items
    said = session.predict(X[items])
    return TRUTH[items], np.array([NAMES.index(answer) for answer in said])


# ------------------------------------------------------------------ metrics


def test_metrics_are_those_of_scikit_learn_on_the_audit_labels(session: al.Session) -> None:
    truth, said = audited(session)
    assert len(truth) > 40
    for metric, oracle in (
        ("precision", precision_score),
        ("recall", recall_score),
        ("f1", f1_score),
    ):
        found = session.estimate(metric)  # type: ignore[arg-type]
        assert found.value == pytest.approx(oracle(truth, said, average="macro"))
        assert found.low < found.value < found.high
        table = session.estimate(metric, by="class")  # type: ignore[arg-type]
        assert list(table.index) == NAMES
        assert table["value"].to_list() == pytest.approx(oracle(truth, said, average=None))
        assert (table["low"] <= table["value"]).all()
    micro = session.estimate("f1", average="micro")
    assert micro.value == pytest.approx(session.estimate().value)
    assert session.estimate("error").value == pytest.approx(np.mean(truth != said))
    of_class = session.estimate(by="class")
    assert of_class["value"].to_list() == pytest.approx(recall_score(truth, said, average=None))
    assert of_class["n"].to_list() == np.bincount(truth, minlength=3).tolist()


def test_the_band_for_many_looks_is_wider(session: al.Session) -> None:
    usual, band = session.estimate(), session.estimate(method="anytime")
    assert band.value == pytest.approx(usual.value)
    assert band.low < usual.low
    assert band.high > usual.high


def test_a_slice_and_what_is_not_in_it(session: al.Session) -> None:
    truth, said = audited(session)
    items = audit_sample(session._ledger).items
    inside = items % 5 == 0
    table = session.estimate("error", by="odd ones")
    assert list(table.index) == ["odd ones", "others"]
    expected = [np.mean((truth != said)[part]) for part in (inside, ~inside)]
    assert table["value"].to_list() == pytest.approx(expected)
    assert table["n"].to_list() == [inside.sum(), (~inside).sum()]
    q = 1 / (N - np.arange(len(items)))
    assert table["high"].iloc[0] == lure(truth != said, q, N, within=inside).high


def test_by_a_column(session: al.Session) -> None:
    table = session.estimate("f1", by="sender")
    assert set(table.index) == {"alice", "bob", MISSING}
    assert table["n"].sum() == session.estimate().n
    ranges = session.estimate(by="length")
    assert len(ranges) == 4
    assert ranges["n"].max() - ranges["n"].min() <= 1
    low, high = ranges.index[0].split(" to ")
    assert int(low) < int(high) < int(ranges.index[1].split(" to ")[0])


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda s: s.estimate("beauty"), "no metric 'beauty'; use one of 'accuracy'"),
        (lambda s: s.estimate(by="mood"), "no slice and no column 'mood'.*'odd ones', 'sender'"),
        (lambda s: s.estimate("f1", average="all"), "no average 'all'"),
        (lambda s: s.estimate(method="normal"), "no method 'normal'"),
        (lambda s: s.estimate("f1", method="anytime"), "for 'accuracy' and 'error'"),
        (lambda s: s.estimate_rounds(of="eggs"), "no class 'eggs'; there is ham, spam, news"),
        (lambda s: s.compare_rounds(1, 99), "no round 99: there are 1 to"),
    ],
)
def test_what_cannot_be_asked(
    session: al.Session, ask: Callable[[al.Session], Any], message: str
) -> None:
    with pytest.raises(al.AlwidgetsError, match=message):
        ask(session)


def test_texts_with_too_many_values_are_no_parts() -> None:
    names = {"name": [f"name {k}" for k in range(40)]}
    with pytest.raises(al.AlwidgetsError, match=r"40 different values.*session\.slices"):
        parts_of("name", np.arange(40), given_ids([str(k) for k in range(40)]), {}, names)


# ------------------------------------------------------------------ nothing to say


def test_before_there_is_anything_it_says_so() -> None:
    session = make()
    for metric in ("accuracy", "f1", "recall", "error"):
        found = session.estimate(metric)  # type: ignore[arg-type]
        assert not found.known
        assert (found.low, found.high, found.n) == (0.0, 1.0, 0)
        assert found.method.startswith("There is no model yet: label items of at least two")
    table = session.estimate("f1", by="class")
    assert list(table.index) == NAMES
    assert table["value"].isna().all()
    assert session.estimate_rounds() == []
    assert session.prequential().empty
    session.close()


def test_classes_without_an_audit_label_are_not_guessed() -> None:
    """The person has seen no news in the audit, and two of the classes elsewhere."""
    session = make()
    reserved = session.reserved
    label(session, 60, lambda i: "ham" if reserved[i] or TRUTH[i] != 1 else "spam")
    recall = session.estimate("recall", by="class")
    assert recall.loc["ham", "value"] > 0
    assert np.isnan(recall.loc["spam", "value"])
    n = session.estimate().n
    assert recall.loc["spam", "method"] == f"none of the {n} audit labels is 'spam'"
    assert "nothing is known of" in session.estimate("f1").method
    session.close()


def test_merged_classes_are_one() -> None:
    session = make()
    label(session, 90)
    session.merge_classes("news", into="spam")
    # The model still knows three classes; the answers know two.
    assert list(session.estimate("f1", by="class").index) == ["ham", "spam"]
    truth, said = (np.minimum(codes, 1) for codes in audited_as_of_now(session))
    assert session.estimate().value == pytest.approx(np.mean(truth == said))
    session.close()


def audited_as_of_now(session: al.Session) -> tuple[Any, Any]:
    items = audit_sample(session._ledger).items
    return TRUTH[items], session._loop.learner.predict_proba(X[items]).argmax(1)


# ------------------------------------------------------------------ rounds


def test_a_round_says_what_was_shown_then(session: al.Session) -> None:
    rounds, found = session.rounds, session.estimate_rounds()
    assert len(found) == len(rounds) > 5
    for record, estimate in zip(rounds, found, strict=True):
        assert estimate.n == record.n_audit
        if record.accuracy is not None:
            given = estimate.value, estimate.low, estimate.high
            assert given == pytest.approx((record.accuracy, record.low, record.high))
    f1s = session.estimate_rounds("f1")
    of_spam = session.estimate_rounds("recall", of="spam")
    assert f1s[-1].low <= session.estimate("f1").value <= f1s[-1].high
    assert of_spam[-1].n < found[-1].n


def test_in_hindsight_all_rounds_are_judged_by_the_same_labels(session: al.Session) -> None:
    n = session.estimate().n
    found = session.estimate_rounds(hindsight=True)
    assert {estimate.n for estimate in found} == {n}
    assert found[-1] == session.estimate()
    gap = session.compare_rounds(len(found), 1)
    assert gap.value == pytest.approx(found[-1].value - found[0].value)
    assert gap.low < gap.value < gap.high
    back = session.compare_rounds(1, len(found))
    assert (back.value, back.low) == pytest.approx((-gap.value, -gap.high))
    same = session.compare_rounds(2, 2)
    zeros = np.zeros(n)
    assert same.high == difference(zeros, zeros, 1 / (N - np.arange(n)), N).high


def test_ranges_of_large_numbers_keep_names_of_their_own() -> None:
    seconds = (1_700_000_000 + 7 * np.arange(200)).tolist()
    ids = given_ids([str(k) for k in range(200)])
    parts = parts_of("at", np.arange(200), ids, {}, {"at": seconds})
    assert len(parts) == 4
    assert sum(int(part.inside.sum()) for part in parts.values()) == 200
    assert next(iter(parts)).startswith("1700000000 to ")


def test_rounds_are_compared_by_the_classes_of_today() -> None:
    session = make()
    label(session, 80)
    before = session.prequential()["value"]
    session.merge_classes("news", into="ham")
    found = session.estimate_rounds(hindsight=True)
    for version in range(1, len(found) + 1):
        gap = session.compare_rounds(version, 1)
        assert gap.value == pytest.approx(found[version - 1].value - found[0].value)
    # Those that took the one for the other are right now.
    after = session.prequential()["value"][: len(before)]
    assert (after.fillna(1) >= before.fillna(0) - 1e-9).all()
    session.close()


def test_without_an_audit_it_says_that_there_will_be_no_figure() -> None:
    session = make(audit=0)
    label(session, 60)
    assert len(session.rounds) > 1
    why = "no item of this session is kept for the audit"
    for found in (
        session.estimate(),
        session.estimate("f1"),
        session.compare_rounds(2, 1),
        *session.estimate_rounds(),
        *session.estimate_rounds("f1", hindsight=True),
    ):
        assert not found.known
        assert found.method.startswith(why)
    session.close()


def test_rounds_that_are_not_there_are_said_not_to_be() -> None:
    session = make()
    with pytest.raises(AlwidgetsError, match="There is no round 2: there is none yet"):
        session.compare_rounds(2, 1)
    session.close()


def test_rounds_of_before_a_restart_are_as_they_were(tmp_path: Path) -> None:
    session = make(tmp_path / "labels.db")
    label(session, 60)
    rounds, f1s = session.rounds, session.estimate_rounds("f1")
    gap = session.compare_rounds(1, len(rounds))
    session.close()
    again = make(tmp_path / "labels.db")
    assert again.estimate_rounds("f1") == f1s
    assert again.compare_rounds(1, len(rounds)) == gap
    label(again, 20)
    assert again.estimate_rounds("f1")[: len(rounds)] == f1s
    assert again.compare_rounds(1, len(again.rounds)).known
    assert [e.value for e in again.estimate_rounds()] == [r.accuracy for r in again.rounds]
    again.close()


# ------------------------------------------------------------------ batches


def test_batches_that_were_sampled_are_tests_of_their_model() -> None:
    session = make(strategy="entropy", audit=0.2)
    label(session, 80)
    found = session.prequential()
    assert found.index.name == "version"
    known = found.dropna(subset="value")
    assert len(known) >= 4
    assert known["method"].str.startswith("accuracy on the remaining pool (").all()
    # By hand, from the draws and answers that the store has, and from what was suggested.
    version = int(known.index[0])
    draws = [d for d in session.store.draws() if d.model_version == version and d.q is not None]
    draws = [d for d in draws if d.stream == "train"]
    events = {e.draw_id: e for e in session.store.events()}
    answered = [d for d in draws if d.draw_id in events]
    wrong = [events[d.draw_id].answer != events[d.draw_id].suggested for d in answered]
    mine = lure(wrong, [d.q for d in answered if d.q], answered[0].remaining)
    assert known["value"].iloc[0] == pytest.approx(1 - mine.value)
    assert known["n"].iloc[0] == len(answered) > 3
    session.close()


def test_batches_that_were_picked_say_nothing() -> None:
    session = make(strategy="badge")
    label(session, 50)
    found = session.prequential()
    assert len(found) > 1
    assert found["value"].isna().all()
    assert found["method"].iloc[0].startswith("the batch was picked")
    session.close()
