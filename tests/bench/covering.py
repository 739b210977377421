"""Does the live curve's interval hold the truth? Whole sessions, labelled by the truth.

``python tests/bench/covering.py --seeds 100`` prints how often. Results are appended to a file of
JSON lines, and what is in it is not run again.

The audit is a random part of the pool that no model trains on: what it says of a model holds for
items such as those of the pool that were not trained on. So the truth here is the accuracy on items
that the seed keeps out of the pool, drawn as the pool is: not the test split that a data set comes
with, which may be of another time or source (TREC's is). Beside it stands the accuracy on what is
left of the pool: easier than the pool was, since what is hard is labelled first; no audit speaks of
that.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from data import FOLDER, Data, texts, there
from numpy.typing import NDArray

DATASETS = ("sms", "trec", "agnews")
OUT = Path(__file__).parents[2] / "artifacts" / "coverage.jsonl"
#: Items of a pool, and of what is kept out of it at most.
POOL, KEPT_OUT = 3_000, 6_000
LABELS, AUDIT = 300, 0.15
#: The share of rounds whose interval must hold the truth.
BAR = 0.90


@cache
def everything(name: str) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Features and class codes of a data set, both its splits, each text once."""
    parts = [texts(name, split) for split in ("train", "test")]
    words = [text for part, _ in parts for text in part]
    labels = [label for _, part in parts for label in part]
    with np.load(FOLDER / name / "minilm.npz") as file:
        X = np.concatenate([file["train"], file["test"]]).astype(np.float32)
    first = np.sort(np.unique(np.array(words), return_index=True)[1])
    return X[first], np.unique(labels, return_inverse=True)[1][first]


def split(name: str, seed: int) -> Data:
    """A pool and what is kept out of it, drawn by the seed."""
    X, y = everything(name)
    order = np.random.default_rng([seed, 5]).permutation(len(X))
    pool, out = order[:POOL], order[POOL : POOL + KEPT_OUT]
    return Data(X[pool], y[pool], X[out], y[out])


def play(name: str, seed: int, strategy: str = "auto", labels: int = LABELS) -> dict[str, Any]:
    """One session: of every round the estimate as the curve shows it, and the truth."""
    import torch

    import alwidgets as al

    torch.set_num_threads(1)
    data = split(name, seed)
    classes = [f"class {code}" for code in range(data.classes)]
    begin = time.perf_counter()
    session = al.Session(
        al.Pool.from_arrays(data.X, ids=range(len(data.X))),
        al.Classification(classes),
        learner=al.HeadEnsemble(device="cpu"),
        strategy=strategy,
        audit=AUDIT,
        seed=seed,
        executor=al.InlineExecutor(),
    )
    rounds: list[dict[str, Any]] = []

    def note(made: Any) -> None:
        if not made.fitted or not made.accuracy.n:
            return
        said = np.asarray(made.learner.predict_proba(data.X_test)).argmax(1)
        left = session.label_codes() < 0
        rounds.append(
            {
                "n_train": made.n_train,
                "n_audit": made.n_audit,
                "value": made.accuracy.value,
                "low": made.accuracy.low,
                "high": made.accuracy.high,
                "truth": float(np.mean(said == data.y_test)),
                "left": float(np.mean(made.predictions[left] == data.y[left])),
            }
        )

    session.on("round", note)
    for _ in range(labels):
        item = session.next()[0]
        session.record(item.id, classes[data.y[item.index]])
    session.close()
    seconds = round(time.perf_counter() - begin, 1)
    return {
        "dataset": name,
        "strategy": strategy,
        "seed": seed,
        "labels": labels,
        "seconds": seconds,
        "rounds": rounds,
    }


def campaign(
    datasets: tuple[str, ...],
    seeds: int,
    strategy: str = "auto",
    labels: int = LABELS,
    out: Path = OUT,
    say: Callable[[str], None] = print,
) -> list[dict[str, Any]]:
    """Every seed of every data set; what ``out`` has already is not run again."""
    rows = [json.loads(line) for line in out.read_text().splitlines()] if out.is_file() else []
    found = {(row["dataset"], row["strategy"], row["seed"], row["labels"]): row for row in rows}
    wanted = []
    out.parent.mkdir(exist_ok=True, parents=True)
    for seed in range(seeds):
        for name in datasets:
            if not there(name):
                say(f"{name}: not on this machine, left out")
                continue
            key = (name, strategy, seed, labels)
            if key not in found:
                found[key] = play(name, seed, strategy, labels)
                with out.open("a") as file:
                    file.write(json.dumps(found[key]) + "\n")
            wanted.append(found[key])
    return wanted


def covered(rows: list[dict[str, Any]], truth: str = "truth", most: int = 10**9) -> float:
    """In what share of the rounds the interval holds the truth."""
    rounds = [r for row in rows for r in row["rounds"] if r["n_audit"] <= most]
    # The truth is a share of a few thousand items; a rounding error is no miss.
    hits = [r["low"] - 1e-12 <= r[truth] <= r["high"] + 1e-12 for r in rounds]
    return float(np.mean(hits)) if hits else float("nan")


def table(rows: list[dict[str, Any]]) -> str:
    """The shares to read, by data set."""
    heads = ("runs", "rounds", "held", "up to 15", "gap", "±", "width", "accuracy", "left", "held")
    lines = [f"{'data':<8}{'strategy':<20}" + "".join(f"{head:>10}" for head in heads)]
    for name, strategy in dict.fromkeys((row["dataset"], row["strategy"]) for row in rows):
        here = [row for row in rows if (row["dataset"], row["strategy"]) == (name, strategy)]
        rounds = [r for row in here for r in row["rounds"]]
        # A run's rounds share their audit labels: runs are what is independent.
        gaps = [np.mean([r["value"] - r["truth"] for r in row["rounds"]]) for row in here]
        error = np.std(gaps, ddof=1) / len(gaps) ** 0.5 if len(gaps) > 1 else np.nan
        last = [row["rounds"][-1] for row in here]
        figures = (
            covered(here),
            covered(here, most=15),
            np.mean(gaps),
            error,
            np.mean([r["high"] - r["low"] for r in rounds]),
            np.mean([r["truth"] for r in last]),
            np.mean([r["left"] for r in last]),
            covered(here, "left"),
        )
        lines.append(
            f"{name:<8}{strategy:<20}{len(here):>10}{len(rounds):>10}"
            + "".join(f"{figure:>10.3f}" for figure in figures)
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--datasets", nargs="+", default=list(DATASETS), choices=list(DATASETS))
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--strategy", default="auto")
    parser.add_argument("--labels", type=int, default=LABELS)
    parser.add_argument("--out", type=Path, default=OUT)
    asked = parser.parse_args()
    rows = campaign(tuple(asked.datasets), asked.seeds, asked.strategy, asked.labels, asked.out)
    print(table(rows))
    missed = [
        name for name in asked.datasets if covered([r for r in rows if r["dataset"] == name]) < BAR
    ]
    if missed:
        raise SystemExit(f"error: below {BAR:.0%} on {', '.join(missed)}.")


if __name__ == "__main__":
    main()
