"""When the stop sign goes up, what stopping there loses and saves, and whether forecasts hold.

A whole session labels with the default learner and strategy, 20 labels a round, an audit beside
it; the truth answers. It goes on until the sign is up and there are 1,000 labels, and to 4,000
at most. Then every round is looked at as a person would have seen it. ``python
tests/bench/stopping.py --help`` runs more seeds; each run is kept in a file, and one that is there
is not run again.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from data import load, score, there
from labelling import full
from numpy.typing import NDArray
from table import Row

DATASETS = ("digits", "sms", "trec", "agnews", "mr")
#: Thresholds and the width of the interval were set on the seeds before these.
SEEDS = (2, 3, 4)
ENOUGH, MOST = 1_000, 4_000
AHEAD = 100
OUT = Path(__file__).parents[2] / "artifacts" / "stopping"


@dataclass(frozen=True)
class Run:
    """One session, a row a round."""

    dataset: str
    seed: int
    n_train: NDArray[np.int64]
    n_audit: NDArray[np.int64]
    #: Codes that each model predicts for the stop set, (rounds, k).
    said: NDArray[np.int16]
    accuracy: NDArray[np.float64]
    #: Of each model: the metric of the data set, and the accuracy, both on the test split; and the
    #: accuracy on all that no model of the run is trained on.
    metric: NDArray[np.float64]
    truth: NDArray[np.float64]
    #: The metric with every label of the pool.
    full: float
    pool: int

    @property
    def labels(self) -> NDArray[np.int64]:
        return self.n_train + self.n_audit


def sign(said: Any) -> Any:
    """What the sign of a session says, where each model has predicted so."""
    from alwidgets.advising import KAPPA, ROUNDS
    from alwidgets.stopping import stabilizing_predictions

    return stabilizing_predictions(said, threshold=KAPPA, rounds=ROUNDS)


def play(dataset: str, seed: int, folder: Path = OUT) -> Run:
    """One session to its end, or what is kept of it."""
    path = folder / f"{dataset}-{seed}.npz"
    if not path.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        with part.open("wb") as file:
            np.savez_compressed(file, **record(dataset, seed))
        part.replace(path)
    with np.load(path) as file:
        kept = {name: file[name] for name in file.files}
    return Run(dataset, seed, **kept | {"full": float(kept["full"]), "pool": int(kept["pool"])})


def record(dataset: str, seed: int) -> dict[str, Any]:
    """A session, simulated; what `Run` holds of it."""
    import torch

    import alwidgets as al

    torch.set_num_threads(1)
    data = load(dataset, seed)
    names = [f"class {code}" for code in range(data.classes)]
    pool = al.Pool.from_arrays(data.X, ids=range(len(data.X)))
    session = al.Session(pool, al.Classification(names), seed=seed, executor=al.InlineExecutor())
    held = session.reserved
    rows = np.flatnonzero(~held)
    items = np.random.default_rng([seed, 6]).choice(rows, min(2_000, len(rows)), replace=False)
    found: dict[str, list[Any]] = {
        name: [] for name in ("n_train", "n_audit", "said", "accuracy", "metric", "truth")
    }

    def look(now: Any) -> None:
        if not now.fitted:
            return
        proba = now.learner.predict_proba(data.X_test)
        right = int((proba.argmax(1) == data.y_test).sum())
        right += int((now.predictions[held] == data.y[held]).sum())
        found["n_train"].append(now.n_train)
        found["n_audit"].append(now.n_audit)
        found["said"].append(now.predictions[items].astype(np.int16))
        found["accuracy"].append(now.accuracy.value)
        found["metric"].append(score(data, proba))
        found["truth"].append(right / (len(data.y_test) + int(held.sum())))

    session.on("round", look)
    given, up = 0, False
    while given < MOST and not (up and given >= ENOUGH):
        cards = session.next()
        if not cards:
            break
        session.record(cards[0].id, names[data.y[cards[0].index]])
        given += 1
        if given % session.batch_size == 0:
            up = up or sign(found["said"]).stop
    session.close()
    whole = {name: np.array(values) for name, values in found.items()}
    return whole | {"full": full(data), "pool": len(data.X)}


@dataclass(frozen=True)
class Stop:
    """Where a criterion stops a run; at the end of the pool where it never does."""

    labels: int
    #: Of the metric with every label of the pool.
    loss: float
    saved: float


def stop(run: Run, criterion: Callable[[Any], Any]) -> Stop:
    for end in range(1, len(run.said) + 1):
        if criterion(run.said[max(0, end - 10) : end]).stop:
            labels = int(run.labels[end - 1])
            loss = run.full - float(run.metric[end - 1])
            return Stop(labels, loss, 1 - labels / run.pool)
    return Stop(run.pool, 0.0, 0.0)


@dataclass(frozen=True)
class Ahead:
    """Gains over the next 100 labels: the truth, and what was forecast of it with its interval."""

    truth: float
    gain: float
    low: float
    high: float
    #: By the curves alone.
    curves: float
    holds: bool

    @property
    def inside(self) -> bool:
        return self.low <= self.truth <= self.high


def forecasts(run: Run, every: int = 5) -> Iterator[Ahead]:
    """What was forecast at every fifth round from the sixth on, as a session does."""
    from alwidgets.stopping import forecast

    labels = run.labels
    for now in range(5, len(labels), every):
        if labels[now] + AHEAD > labels[-1]:
            return
        before = max(int(np.searchsorted(labels, labels[now] - AHEAD, side="right")) - 1, 0)
        passed = int(labels[now] - labels[before])
        changed = float(np.mean(run.said[now] != run.said[before])) * AHEAD / passed
        known = np.flatnonzero(run.n_audit[: now + 1] > 0)
        if len(known) < 6:
            continue
        points = labels[known], run.accuracy[known]
        found = forecast(*points, n=run.n_audit[known], ahead=AHEAD, changed=min(changed, 1.0))
        alone = forecast(*points, n=run.n_audit[known], ahead=AHEAD)
        truth = float(np.interp(labels[now] + AHEAD, labels, run.truth) - run.truth[now])
        holds = alone.low <= truth <= alone.high
        yield Ahead(truth, found.gain, found.low, found.high, alone.gain, holds)


def summary(runs: list[Run]) -> Iterator[Row]:
    """The figures of each data set, and of all of them together with their bars."""
    from alwidgets.stopping import stabilizing_predictions

    names = list(dict.fromkeys(run.dataset for run in runs))
    stops: dict[str, list[Stop]] = {}
    papers: dict[str, list[Stop]] = {}
    gains: dict[str, list[Ahead]] = {}
    for name in names:
        here = [run for run in runs if run.dataset == name]
        stops[name] = [stop(run, sign) for run in here]
        papers[name] = [stop(run, stabilizing_predictions) for run in here]
        gains[name] = [one for run in here for one in forecasts(run)]
        found, ahead = stops[name], gains[name]
        group = f"stopping, {name}"
        at = ", ".join(f"{one.labels}" for one in found)
        yield Row(group, "stops at", float(np.mean([s.labels for s in found])), "", at)
        yield Row(group, "loses, of every label", points([s.loss for s in found]), "pts")
        yield Row(group, "saves, of the pool", float(np.mean([s.saved for s in found])))
        yield Row(group, "interval of the gain holds", share(ahead), "", f"{len(ahead)} forecasts")
        error = points([abs(a.gain - a.truth) for a in ahead])
        last = points([abs(a.truth) for a in ahead])
        alone = points([abs(a.curves - a.truth) for a in ahead])
        note = f"last {last:.2f}, the curves alone {alone:.2f}"
        yield Row(group, "forecast misses by", error, "pts", note)
    # Every data set counts the same.
    loss = float(np.mean([points([s.loss for s in stops[n]]) for n in names]))
    saved = float(np.mean([np.mean([s.saved for s in stops[n]]) for n in names]))
    paper = float(np.mean([points([s.loss for s in papers[n]]) for n in names]))
    inside = float(np.mean([share(gains[n]) for n in names]))
    error = float(np.mean([np.mean([abs(a.gain - a.truth) for a in gains[n]]) for n in names]))
    last = float(np.mean([np.mean([abs(a.truth) for a in gains[n]]) for n in names]))
    curves = float(np.mean([np.mean([a.holds for a in gains[n]]) for n in names]))
    group = "stopping, all"
    note = f"{paper:.2f} at kappa 0.99 over 3 rounds, as in the paper"
    yield Row(group, "loses, of every label", loss, "pts", note, "1", loss <= 1)
    yield Row(group, "saves, of the pool", saved, bar="0.4", met=saved >= 0.4)
    note = f"{curves:.2f} without what changed"
    met = 0.7 <= inside <= 0.9
    yield Row(group, "interval of the gain holds", inside, "", note, "0.7 to 0.9", met)
    note = f"last {100 * last:.2f}"
    yield Row(group, "forecast misses by", 100 * error, "pts", note, "last", error < last)
    yield constant()


def constant() -> Row:
    """Models that agree with each other by a kappa of 0.6, for ever."""
    truth = np.repeat([0, 1], 50)
    one, other = truth.copy(), truth.copy()
    other[:10], other[50:60] = 1, 0
    said = [one if n % 2 else other for n in range(200)]
    stops = [n for n in range(1, 200) if sign(said[:n]).stop]
    value = sign(said).value
    note = f"{len(said)} models, {len(stops)} times advised to stop"
    return Row("stopping, all", "a constant kappa", value, "", note, "never", not stops)


def points(shares: list[float]) -> float:
    return 100 * float(np.mean(shares))


def share(ahead: list[Ahead]) -> float:
    return float(np.mean([one.inside for one in ahead]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--datasets", nargs="+", default=list(DATASETS), choices=list(DATASETS))
    parser.add_argument("--seeds", nargs="+", type=int, default=list(SEEDS))
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--out", type=Path, default=OUT)
    asked = parser.parse_args()
    rows = stopping(asked.datasets, asked.seeds, asked.jobs, asked.out)
    found = []
    for row in rows:
        print(row, flush=True)
        found.append(row.json())
    (asked.out / "stopping.json").write_text(json.dumps(found, indent=1))


def stopping(
    datasets: Any = DATASETS, seeds: Any = SEEDS, jobs: int = 1, out: Path = OUT
) -> Iterator[Row]:
    """Play what is not there yet, and sum up."""
    from joblib import Parallel, delayed

    tasks = [(name, seed) for seed in seeds for name in datasets if there(name)]
    runs = Parallel(n_jobs=jobs)(delayed(play)(*task, out) for task in tasks)
    if not runs:
        yield Row("stopping", "-", None, note="no data set of these is on this machine")
        return
    yield from summary(runs)


if __name__ == "__main__":
    main()
