"""The advice of a session: the same after a restart, from no audit label, and it stops nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import alwidgets as al
from alwidgets.advising import AHEAD, KAPPA, ROUNDS, STOP_SET, StopSign
from alwidgets.errors import AlwidgetsError, StoreError, StrategyError
from alwidgets.stopping import stabilizing_predictions

RNG = np.random.default_rng(0)
TRUTH = RNG.integers(0, 3, 400)
X = np.eye(3, 6)[TRUTH] * 2 + RNG.normal(size=(400, 6))
NAMES = ("red", "green", "blue")

Open = Callable[..., al.Session]


@pytest.fixture
def opened() -> Iterator[Open]:
    with ExitStack() as stack:

        def make(store: Path | None = None, task: Any = None, **options: Any) -> al.Session:
            given = {"audit": 0.2, "strategy": "margin", "executor": al.InlineExecutor()}
            pool = options.pop("pool", None) or al.Pool.from_arrays(X, ids=range(len(X)))
            session = al.Session(pool, task or al.Classification(NAMES), store, **given | options)
            stack.callback(session.close)
            return session

        yield make


def label(session: al.Session, n: int, answer: Callable[[al.Item], Any] | None = None) -> None:
    for _ in range(n):
        item = session.next()[0]
        session.record(
            item.id,
            answer(item) if answer else NAMES[TRUTH[item.index]],
            shown_at="2026-01-01T10:00:00Z",
            answered_at="2026-01-01T10:00:06Z",
        )


def test_the_stop_set_is_drawn_once_from_what_has_no_label_and_is_not_for_the_audit(
    opened: Open, tmp_path: Path
) -> None:
    session = opened(tmp_path / "a.db")
    items = session._loop._adviser.items
    assert len(items) == (~session.reserved).sum() <= STOP_SET
    assert not session.reserved[items].any()
    label(session, 20)
    session.close()
    more = np.concatenate([X, X[:100] + 0.01])
    grown = opened(tmp_path / "a.db", pool=al.Pool.from_arrays(more, ids=range(500)))
    assert grown._loop._adviser.items.tolist() == items.tolist()


def test_a_large_pool_is_sampled(opened: Open) -> None:
    pool = al.Pool.from_arrays(RNG.normal(size=(STOP_SET + 1_500, 2)), ids=range(STOP_SET + 1_500))
    items = [opened(pool=pool, seed=seed)._loop._adviser.items.tolist() for seed in (3, 3, 4)]
    assert len(set(items[0])) == STOP_SET
    assert items[0] == items[1] != items[2]


def test_it_says_what_the_criterion_says_of_the_newest_models(opened: Open) -> None:
    session = opened()
    said: list[Any] = []
    signs: list[StopSign] = []
    items = session._loop._adviser.items
    session.on("round", lambda r: said.append(r.predictions[items]) if r.fitted else None)
    session.on("advice", signs.append)
    label(session, 160)
    assert len(signs) == len(said) == 8
    expected = [
        stabilizing_predictions(said[:n], threshold=KAPPA, rounds=ROUNDS).value for n in range(1, 9)
    ]
    assert [sign.criteria[0].value for sign in signs] == pytest.approx(expected, nan_ok=True)
    assert session.stop_sign is signs[-1]
    assert session.stop_sign.forecast is not None
    assert session.stop_sign.forecast.ahead == AHEAD


def test_after_a_restart_the_advice_is_the_same(opened: Open, tmp_path: Path) -> None:
    session = opened(tmp_path / "a.db")
    label(session, 180)
    before = session.stop_sign
    session.close()
    again = opened(tmp_path / "a.db")
    assert again.stop_sign == before
    again.close()
    for file in tmp_path.glob("*.safetensors"):
        file.unlink()
    # The model is fitted anew: one more of the same labels, and no more agreement for it.
    fitted = opened(tmp_path / "a.db")
    assert fitted.version == again.version + 1
    assert fitted.stop_sign.criteria == before.criteria
    label(fitted, 20)
    whole = opened()
    label(whole, 200)
    assert len(fitted._loop._adviser._readings) == len(whole._loop._adviser._readings)


def test_to_retrain_without_new_labels_is_no_agreement(opened: Open) -> None:
    session = opened()
    label(session, 40)
    before = session.stop_sign.criteria
    for _ in range(8):
        session.retrain()
    assert session.version == 10
    assert session.stop_sign.criteria == before
    assert "there are 2 so far" in session.stop_sign.reason


def test_audit_labels_take_no_part_in_it(opened: Open) -> None:
    def wrong(item: al.Item) -> str:
        return NAMES[(TRUTH[item.index] + (item.stream == "audit")) % 3]

    honest, other = opened(), opened()
    label(honest, 160)
    label(other, 160, wrong)
    assert honest.rounds[-1].accuracy > other.rounds[-1].accuracy  # type: ignore[operator]
    assert honest.stop_sign.criteria == other.stop_sign.criteria


def test_the_sign_goes_up_and_nothing_stops(opened: Open) -> None:
    easy = np.eye(3, 6)[TRUTH] * 9 + RNG.normal(size=(400, 6))
    session = opened(pool=al.Pool.from_arrays(easy, ids=range(400)))
    label(session, 160)
    assert session.stop_sign.stop
    assert str(session.stop_sign).startswith("Enough: the last 6 models agree")
    version = session.version
    label(session, 20)
    assert session.version == version + 1


def test_classes_may_get_other_names(opened: Open, tmp_path: Path) -> None:
    session = opened(tmp_path / "a.db")
    label(session, 140)
    before = session.stop_sign.criteria
    session.rename_class("green", "lime")
    session.close()
    again = opened(tmp_path / "a.db", task=al.Classification(["red", "lime", "blue"]))
    assert again.stop_sign.criteria == before


def test_of_several_labels(opened: Open, tmp_path: Path) -> None:
    def both(item: al.Item) -> list[str]:
        code = int(TRUTH[item.index])
        return [NAMES[code], NAMES[2]] if code == 0 else [NAMES[code]]

    options: dict[str, Any] = {"task": al.MultiLabel(NAMES), "strategy": "auto"}
    session = opened(tmp_path / "a.db", **options)
    label(session, 140, both)
    before = session.stop_sign
    assert 0 < before.criteria[1].value < 1
    session.close()
    assert opened(tmp_path / "a.db", **options).stop_sign == before


def test_where_no_model_is_trained_there_is_nothing_to_say(opened: Open) -> None:
    pool = al.Pool.from_texts(["one", "two"])
    session = opened(task=al.Correction(), pool=pool, strategy="auto")
    assert not session.stop_sign.stop
    assert session.stop_sign.reason == (
        "no model is trained for Correction(): its answers are of no class"
    )
    assert session.stop_sign.criteria == ()
    with pytest.raises(AlwidgetsError, match="No model is trained for Correction"):
        session.worth()


def test_without_an_audit_there_is_no_forecast_and_it_says_why(opened: Open) -> None:
    session = opened(audit=0)
    label(session, 140)
    assert "models agree" in session.stop_sign.reason or "do not agree" in session.stop_sign.reason
    with pytest.raises(AlwidgetsError, match="No item of this session is kept for the audit"):
        session.worth()


def test_of_labels_that_nobody_can_give_nothing_is_said(opened: Open) -> None:
    pool = al.Pool.from_arrays(X[:170], ids=range(170))
    session = opened(pool=pool)
    told: list[StopSign] = []
    session.on("advice", told.append)
    label(session, 150)
    sign = session.stop_sign
    assert not sign.used_up
    assert sign.forecast is not None
    assert told[-1].forecast is not None
    assert session.worth().labels == sign.forecast.ahead == 20
    assert str(session.worth()).startswith("the next 20 labels: ")
    label(session, 19)
    assert str(session.worth()).startswith("the next label: ")
    session.skip(session.next()[0].id)
    sign = session.stop_sign
    assert (sign.stop, sign.used_up, sign.forecast) == (True, True, None)
    assert str(sign) == "Enough: every item has a label, or was skipped"
    with pytest.raises(AlwidgetsError, match="Every item has a label, or was skipped"):
        session.worth()
    session.undo()
    assert session.worth().labels == 1
    assert not session.stop_sign.used_up


def test_worth_takes_the_pace_and_the_prices(opened: Open) -> None:
    session = opened()
    with pytest.raises(AlwidgetsError, match="at least 6 points"):
        session.worth()
    label(session, 140)
    found = session.worth(volume=1_000, cost_of_error=1, cost_of_label=0.1)
    assert found.labels == AHEAD
    assert found.seconds == pytest.approx(600)
    assert found.net is not None
    assert found.net.value == pytest.approx(1_000 * found.gain - 10)
    assert "10 minutes at your pace" in str(found)


def test_of_a_closed_session_it_says_that_its_labels_are_gone(opened: Open) -> None:
    session = opened()
    label(session, 140)
    session.close()
    for asked in (session.worth, session.seconds_per_label, session.labels):
        with pytest.raises(StoreError, match="in memory, and went when the session was closed"):
            asked()


def test_another_strategy_picks_at_once(opened: Open) -> None:
    session = opened()
    label(session, 45)
    version = session.version
    assert {item.strategy for item in session.next(10) if item.stream == "train"} == {"margin"}
    session.strategy = "random"
    assert session.strategy == "random"
    assert session.version == version
    assert {item.strategy for item in session.next(10) if item.stream == "train"} == {"random"}
    assert (session.switches[-1].before, session.switches[-1].strategy) == ("margin", "random")
    label(session, 30)
    assert session.rounds[-1].strategy == "random"


def test_a_strategy_that_cannot_be_is_refused_and_the_old_one_stays(opened: Open) -> None:
    session = opened()
    with pytest.raises(StrategyError, match="oracle"):
        session.strategy = "oracle"
    assert session.strategy == "margin"
    session.close()
    with pytest.raises(StoreError, match="closed"):
        session.strategy = "random"


def test_a_strategy_that_loses_to_random_labels_is_said_to(opened: Open) -> None:
    clear = np.eye(3, 6)[TRUTH] * 4 + np.random.default_rng(0).normal(size=(400, 6))
    pool = al.Pool.from_arrays(clear, ids=range(400))
    session = opened(strategy="random", audit=0.3, pool=pool)
    label(session, 60)
    assert session.losing is None
    # Of the three classes it asks for two.
    session.strategy = lambda context: context.proba[:, :2].sum(dim=1)
    label(session, 60)
    assert session.losing is not None
    assert session.losing.startswith("random labels do better")
    session.strategy = "random"
    assert session.losing is None
