"""What the map can be coloured by, on sessions that are real."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import alwidgets as al
from alwidgets.errors import MessageError, NoModelError, StrategyError
from alwidgets.widgets import colourings
from alwidgets.widgets.background import Background, Superseded

N = 60
RNG = np.random.default_rng(0)
SIDE = np.arange(N) % 2
X = RNG.normal(size=(N, 3)) + 3 * SIDE[:, None]


@pytest.fixture
def session() -> Iterator[al.Session]:
    metadata: dict[str, Any] = {"length": range(N), "sender": ["ann", "bob", None] * (N // 3)}
    pool = al.Pool.from_arrays(X, ids=range(N), metadata=metadata)
    made = al.Session(
        pool,
        al.Classification(["left", "right"]),
        batch_size=10,
        annotator="eve",
        executor=al.InlineExecutor(),
    )
    yield made
    made.close()


def label(session: al.Session, n: int) -> None:
    for _ in range(n):
        item = session.next()[0]
        session.record(item.id, ["left", "right"][SIDE[item.index]])


def shown(session: al.Session) -> dict[str, list[str]]:
    groups = colourings.choices(session, measured=False)["groups"]
    return {g["name"]: [c["by"] for c in g["choices"] if c["needs"] is None] for g in groups}


def test_what_needs_a_model_is_ready_once_there_is_one(session: al.Session) -> None:
    before = shown(session)
    assert before["Model"] == ["outlier"]
    assert before["Labels"] == ["label", "stream", "annotator"]
    assert before["Scores"] == []
    assert before["Metadata"] == ["meta:length", "meta:sender"]
    label(session, 20)
    session.retrain()
    after = shown(session)
    assert after["Model"] == ["prediction", "confidence", "uncertainty", "outlier"]
    assert {"score:margin", "score:bald", "score:density"} <= set(after["Scores"])
    # What weighs items against each other gives no item a number; all are alike by chance.
    assert not {"score:badge", "score:batch_bald", "score:random"} & set(after["Scores"])


def margin(context: Any) -> Any:  # the name of a known one
    """How far to the right an item lies."""
    return context.features[:, 0]


def test_the_score_of_a_strategy_of_ones_own_can_be_seen(session: al.Session) -> None:
    label(session, 20)
    with pytest.raises(MessageError, match="cannot be coloured"):
        colourings.check(session, colourings.OWN)
    for strategy in (margin, al.strategies.weighted(margin=1, density=0.5)):
        session.strategy = strategy
        session.retrain()
        (scores,) = (
            g["choices"]
            for g in colourings.choices(session, measured=False)["groups"]
            if g["name"] == "Scores"
        )
        assert scores[0]["by"] == colourings.check(session, colourings.OWN)
        assert scores[0]["name"].startswith("Your strategy, ")
        made = colourings.slow_colours(session, colourings.OWN, lambda: None)
        expected = np.where(session.reserved, np.nan, session.scores(strategy))
        np.testing.assert_array_equal(made.values, expected)
        assert colourings.name_of(colourings.OWN) == "Score: your strategy"
        key = colourings.takes_a_while(session, colourings.OWN)
    session.strategy = al.strategies.bald
    assert colourings.OWN not in shown(session)["Scores"]  # it is there by its name
    assert key != colourings.takes_a_while(session, colourings.OWN)
    session.strategy = al.strategies.badge
    assert colourings.OWN not in shown(session)["Scores"]


def test_streams_and_annotators_are_those_of_the_labels(session: al.Session) -> None:
    label(session, 20)
    session.annotator = "mallory"
    session.queue([next(i for i in session.pool.ids if i not in session.labels().index)])
    label(session, 1)
    frame = session.labels()
    for by in ("stream", "annotator"):
        made = colourings.colours(session, by, None, None)
        assert made is not None
        assert made.categories is not None
        found = {
            session.pool.ids[i]: made.categories[code]
            for i, code in enumerate(made.codes.tolist())
            if code != 255
        }
        assert found == frame[by].to_dict()
        assert made.codes.dtype.itemsize == 1


def test_scores_are_those_by_which_the_strategy_would_choose(session: al.Session) -> None:
    with pytest.raises(NoModelError):
        session.scores("margin")
    label(session, 20)
    session.retrain()
    scores = session.scores("margin")
    labelled = session.label_codes() >= 0
    assert np.isnan(scores[labelled]).all()
    proba = session.predict_proba(X[~labelled].astype(np.float32))
    assert scores[~labelled] == pytest.approx(1 - np.abs(proba[:, 0] - proba[:, 1]), abs=1e-5)
    with pytest.raises(StrategyError, match="weighs items against each other"):
        session.scores("badge")
    with pytest.raises(StrategyError, match="Unknown strategy"):
        session.scores("shoe size")


def test_what_is_kept_for_the_audit_does_not_tell(session: al.Session) -> None:
    label(session, 20)
    session.retrain()
    assert session.reserved.any()
    for by in ("prediction", "confidence", "uncertainty"):
        made = colourings.colours(session, by, None, None)
        assert made is not None
        assert (made.codes[session.reserved] == 255).all()
        assert (made.codes[~session.reserved] != 255).all()
    made = colourings.slow_colours(session, "score:margin", lambda: None)
    assert (made.codes[session.reserved] == 255).all()
    assert (made.codes != 255).any()


def test_confidence_and_uncertainty_run_against_each_other(session: al.Session) -> None:
    label(session, 20)
    session.retrain()
    sure, unsure = (
        colourings.colours(session, by, None, None) for by in ("confidence", "uncertainty")
    )
    assert sure is not None
    assert unsure is not None
    seen = ~session.reserved
    order = np.argsort(sure.codes[seen].astype(int), kind="stable")
    doubt = unsure.codes[seen].astype(int)[order]
    assert (np.diff(doubt) <= 2).all()  # steps of the one lie between steps of the other
    assert doubt[0] > 20 > doubt[-1]


def test_of_many_columns_the_first_are_named_and_the_others_found() -> None:
    metadata = {f"column {i}": [0, 1] for i in range(10_000)}
    pool = al.Pool.from_arrays(X[:2], ids=[0, 1], metadata=metadata)
    with_many = al.Session(pool, al.Classification(["left", "right"]))
    try:
        made = colourings.choices(with_many, measured=False)
        assert made["n_columns"] == 10_000
        assert len(made["groups"][-1]["choices"]) == colourings.COLUMNS
        found = colourings.columns(with_many, "COLUMN 9999")
        assert (found["names"], found["total"]) == (["column 9999"], 1)
        assert colourings.columns(with_many, "")["total"] == 10_000
        assert colourings.check(with_many, "meta:column 9999")
        with pytest.raises(MessageError, match="shoe size"):
            colourings.check(with_many, "meta:shoe size")
    finally:
        with_many.close()


def test_the_newest_request_wins_and_what_is_under_way_is_told_to_stop() -> None:
    started, threads, told = threading.Event(), [], []

    def run(work: Any) -> None:
        threads.append(threading.Thread(target=work))
        threads[-1].start()

    background = Background(told.append, run=run)

    def endless() -> None:
        started.set()
        while True:
            background.check()

    assert background.get("first", endless) is None
    assert started.wait(10)
    assert background.making == "first"
    for key in ("second", "third"):
        assert background.get(key, lambda key=key: f"made {key}") is None
    threads[0].join(10)
    assert told[-1] == "third"
    assert background.get("third", endless) == "made third"
    assert "first" not in told
    assert background.making is None


def test_what_failed_is_raised_once_to_whoever_asks() -> None:
    def fail() -> None:
        raise ValueError("no")

    background = Background(lambda key: None, run=lambda work: work())
    assert background.get("it", fail) is None
    with pytest.raises(ValueError, match="no"):
        background.get("it", fail)
    background.close()
    with pytest.raises(Superseded):
        background.check()


def test_a_round_that_is_looked_at_can_be_coloured_by(session: al.Session) -> None:
    label(session, 40)
    with pytest.raises(MessageError):
        colourings.check(session, "then:2")
    session.round_shown = 2
    assert colourings.check(session, "then:2") == "then:2"
    with pytest.raises(MessageError):
        colourings.check(session, "then:3")
    assert shown(session)["Model"][0] == "then:2"
    assert colourings.name_of("then:2") == "Model 2's prediction"
    made = colourings.slow_colours(session, "then:2", lambda: None)
    assert made.categories == ["left", "right"]
    then = session.predictions(2)
    assert (made.codes[session.reserved] == 255).all()
    np.testing.assert_array_equal(made.codes[~session.reserved], then[~session.reserved])
    session.round_shown = None
    assert "then:2" not in shown(session)["Model"]
