"""Are the labels that were saved told rightly? Sessions with two arms, labelled by the truth.

``python tests/bench/saved.py --seeds 10`` plays whole sessions. For each it prints what the
session says was saved, from its audit alone, beside the truth: the same reading of the curves of
the same models, by all the items that the seed keeps out of the pool. And beside that what two
sessions save that label alone, one as the strategy picks and one at random, with as many labels as
an arm has here: whether arms that share a session do what they would do alone.

``--simulate`` draws arms of which the one is worth twice as much a label, or as much, instead, and
prints how often the interval holds.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import time
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from covering import split
from data import Data, digits, there
from numpy.typing import NDArray

OUT = Path(__file__).parents[2] / "artifacts" / "saved.jsonl"
DATASETS = ("digits", "trec")
LABELS, AUDIT, BAR = 300, 0.15, 0.90
MEANS = ("value", "truth", "alone")

Points = tuple[list[int], list[NDArray[np.bool_]]]


def opened(data: Data, seed: int, audit: float, **options: Any) -> Any:
    import alwidgets as al

    pool = al.Pool.from_arrays(data.X, ids=range(len(data.X)))
    task = al.Classification([f"class {code}" for code in range(data.classes)])
    learner = al.HeadEnsemble(device="cpu")
    options = {"learner": learner, "seed": seed, "executor": al.InlineExecutor()} | options
    return al.Session(pool, task, audit=audit, **options)


def label(session: Any, data: Data, labels: int) -> None:
    for _ in range(labels):
        item = session.next()[0]
        session.record(item.id, f"class {data.y[item.index]}")


def read(active: Points, random: Points) -> float:
    """What was saved, by all the items that were kept out."""
    from alwidgets.evaluation import labels_saved

    M = active[1][0].size
    q = 1 / (M - np.arange(M))
    return labels_saved(active[0], np.array(active[1]), random[0], np.array(random[1]), q, M).value


def shared(data: Data, seed: int, labels: int, audit: float) -> dict[str, Any]:
    """A session with two arms: what it says, and the truth about its models."""
    import alwidgets.armfits as armfits

    wrong: list[NDArray[np.bool_]] = []

    class Known(armfits.ArmFits):
        def _fitted(self, wanted: Any, items: Any, codes: Any) -> Any:
            learner = super()._fitted(wanted, items, codes)
            said = np.asarray(learner.predict_proba(data.X_test)).argmax(1)
            wrong.append(said != data.y_test)
            return learner

    session = opened(data, seed, audit, compare="random")
    session._loop.arms.__class__ = Known
    label(session, data, labels)
    arms, said = session.arms(), session._loop.arms._said
    points: dict[str, Points] = {"active": ([], []), "random": ([], [])}
    for one, known in zip(said, wrong, strict=True):
        points[one.arm][0].append(one.n_labels)
        points[one.arm][1].append(known)
    session.close()
    return {
        "said": str(arms.saved),
        "value": arms.saved.value,
        "low": arms.saved.low,
        "high": arms.saved.high,
        "needed": arms.saved.needed,
        "n": arms.saved.n,
        "each": points["random"][0][-1],
        "truth": read(points["active"], points["random"]),
        "gain": arms.difference.value,
        "gain_low": arms.difference.low,
        "gain_high": arms.difference.high,
        "gain_truth": float(points["random"][1][-1].mean() - points["active"][1][-1].mean()),
    }


def alone(data: Data, seed: int, each: int) -> float:
    """What is saved where each strategy has a session to itself."""
    found: dict[str, Points] = {}
    for strategy in ("auto", "random"):
        labels, wrong = [], []

        def note(made: Any, labels: Any = labels, wrong: Any = wrong) -> None:
            if made.fitted:
                said = np.asarray(made.learner.predict_proba(data.X_test)).argmax(1)
                labels.append(made.n_train)
                wrong.append(said != data.y_test)

        # Rounds as often as an arm has them here.
        session = opened(data, seed, 0.0, strategy=strategy, batch_size=8)
        session.on("round", note)
        label(session, data, each)
        session.close()
        found[strategy] = labels, wrong
    return read(found["auto"], found["random"])


def campaign(
    datasets: tuple[str, ...], seeds: int, labels: int, audit: float, out: Path = OUT
) -> list[dict[str, Any]]:
    """Every seed of every data set; what ``out`` has already is not run again."""
    import torch

    torch.set_num_threads(1)
    rows = [json.loads(line) for line in out.read_text().splitlines()] if out.is_file() else []
    key = ("dataset", "seed", "labels", "audit")
    found = {tuple(row[k] for k in key): row for row in rows}
    out.parent.mkdir(exist_ok=True, parents=True)
    for name in datasets:
        if name != "digits" and not there(name):
            print(f"{name}: not on this machine, left out")
            continue
        for seed in range(seeds):
            at = (name, seed, labels, audit)
            if at in found:
                continue
            data = digits(seed) if name == "digits" else split(name, seed)
            begin = time.perf_counter()
            row = dict(zip(key, at, strict=True)) | shared(data, seed, labels, audit)
            row["alone"] = alone(data, seed, row["each"])
            row["seconds"] = round(time.perf_counter() - begin, 1)
            print(f"{name} {seed}: {row['said']}; truth {row['truth']:.0f}", flush=True)
            found[at] = row
            with out.open("a") as file:
                file.write(json.dumps(row) + "\n")
    wanted = [row for row in found.values() if (row["labels"], row["audit"]) == (labels, audit)]
    return [row for row in wanted if row["dataset"] in datasets and row["seed"] < seeds]


def held(rows: list[dict[str, Any]], what: str = "") -> float:
    """The share of sessions whose interval holds the truth, of those that have one."""
    known = [row for row in rows if not math.isnan(row["value"])]
    hits = [row[f"{what}low"] <= row[f"{what}truth"] <= row[f"{what}high"] for row in known]
    return float(np.mean(hits)) if hits else math.nan


def table(rows: list[dict[str, Any]]) -> str:
    lines = [
        f"{'':<8}{'seed':>5}{'each':>6}{'audit':>7}{'said':>8}{'low':>7}{'high':>7}{'truth':>8}"
        f"{'alone':>8}   gain (low to high), truth"
    ]
    lines += [
        f"{row['dataset']:<8}{row['seed']:>5}{row['each']:>6}{row['n']:>7}"
        f"{row['value']:>8.0f}{row['low']:>7.0f}{row['high']:>7.0f}{row['truth']:>8.0f}"
        f"{row['alone']:>8.0f}{'' if held([row]) else ' NO':<3}{row['gain']:>+6.3f} "
        f"({row['gain_low']:+.3f} to {row['gain_high']:+.3f}), {row['gain_truth']:+.3f}"
        for row in rows
    ]
    for name in dict.fromkeys(row["dataset"] for row in rows):
        mine = [r for r in rows if r["dataset"] == name and not math.isnan(r["value"])]
        means = (f"{what} {np.mean([r[what] for r in mine]):.0f}" for what in MEANS if mine)
        lines.append(
            f"{name}: {len(mine)} sessions, the interval holds the truth {held(mine):.2f}, that of "
            f"the gain {held(mine, 'gain_'):.2f}; on average {', '.join(means)}"
        )
    return "\n".join(lines)


def error(labels: Any) -> Any:
    """Of a simulated model on so many random labels."""
    return 0.04 + 1.2 / np.sqrt(labels)


def cell(
    worth: float, points: int, M: int, luck: float, target: float | None, runs: int
) -> tuple[float, float, float]:
    """Arms that are known: how often the interval holds, its median width, and the mean bias.

    A label of the active arm is worth so many random ones, up to 200 labels an arm. Some items are
    harder than others for every model, and each model has luck of its own.
    """
    from scipy.special import ndtri

    from alwidgets.evaluation import labels_saved

    at, q = np.linspace(10, 200, points).round(), 1 / (5_000 - np.arange(M))
    needed = (200 if target is None else 120) * min(1.0, worth)
    truth = needed * (1 - 1 / worth)
    found = []
    for seed in range(runs):
        rng = np.random.default_rng([seed, points, M])
        hard = rng.normal(size=M)
        sides = []
        for labels in (worth * at, at):
            rate = error(labels) * np.exp(luck * rng.normal(size=points))
            latent = np.sqrt(0.7) * hard + np.sqrt(0.3) * rng.normal(size=(points, M))
            sides.append(latent > -ndtri(rate)[:, None])
        one = labels_saved(at, sides[0], at, sides[1], q, 5_000, target)
        if one.known:
            found.append((one.low <= truth <= one.high, one.high - one.low, one.value - truth))
    hits, widths, off = np.array(found, dtype=np.float64).T
    return float(hits.mean()), float(np.median(widths)), float(off.mean())


def simulate(runs: int) -> Iterator[str]:
    """A line for each kind of arms."""
    head = ("worth", "target", "points", "audit", "luck", "held", "width", "bias")
    yield "".join(f"{name:>8}" for name in head)
    for worth, points, M, luck in product((2.0, 1.0, 0.5), (8, 20), (45, 100, 300), (0.0, 0.05)):
        for target in (None, 1 - error(120 * min(1.0, worth))):
            holds, width, bias = cell(worth, points, M, luck, target, runs)
            goal = "both" if target is None else f"{target:.2f}"
            yield (
                f"{worth:>8g}{goal:>8}{points:>8}{M:>8}{luck:>8g}{holds:>8.2f}{width:>8.0f}"
                f"{bias:>+8.1f}"
            )


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--datasets", nargs="+", default=DATASETS)
    asked.add_argument("--seeds", type=int, default=10)
    asked.add_argument("--labels", type=int, default=LABELS)
    asked.add_argument("--audit", type=float, default=AUDIT)
    asked.add_argument("--simulate", type=int, metavar="RUNS", help="instead of sessions")
    given = asked.parse_args()
    if given.simulate:
        for line in simulate(given.simulate):
            print(line, flush=True)
    else:
        print(table(campaign(tuple(given.datasets), given.seeds, given.labels, given.audit)))


if __name__ == "__main__":
    main()
