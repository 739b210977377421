"""Label efficiency: paired simulations, area under the curve, labels to target, tests.

``python tests/bench/efficiency.py --help`` runs more than ``make bench`` does: every data set,
strategy and seed, on several processes. Results are appended to a file of JSON lines, and what is
in it is not run again: a killed run goes on where it was.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# One thread a process: many of them run side by side.
if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from arms import arm as named_arm
from data import DATASETS, load, there
from labelling import Arm, full, simulate
from numpy.typing import NDArray

DEFAULT = (
    "random",
    "margin",
    "auto",
    "typiclust>margin",
    "badge",
    "falcun",
    "density_weighted",
)
#: Labels to go to, and to take the area of.
LABELS = {"trec": 1500}
ELSEWHERE = 500
#: Labels to 95 % of the figure with every label, by the best strategy of any library when these
#: bars were set, with a logistic regression.
BEST = {"digits": 70, "sms": 70, "sms-tfidf": 120, "trec": 520}
TARGETS = (0.90, 0.95, 0.98)
OUT = Path(__file__).parents[2] / "artifacts" / "efficiency.jsonl"
FULL = "every label"


@dataclass(frozen=True)
class Task:
    dataset: str
    strategy: str
    seed: int
    learner: str
    labels: int
    #: Changes whenever the code of the package may have.
    version: str = ""

    @property
    def key(self) -> tuple[Any, ...]:
        return (self.dataset, self.strategy, self.seed, self.learner, self.labels, self.version)


def sources(*folders: str) -> str:
    """A short hash of the package's learners and strategies: results belong to these."""
    import alwidgets

    root = Path(alwidgets.__file__).parent
    found = sorted(path for folder in folders for path in (root / folder).rglob("*.py"))
    return hashlib.sha256(b"".join(path.read_bytes() for path in found)).hexdigest()[:10]


def play(task: Task, arm: Arm | None = None) -> dict[str, Any]:
    """One simulation, or the figure with every label."""
    import torch

    torch.set_num_threads(1)
    data = load(task.dataset, task.seed)
    about = dict(vars(task))
    begin = time.perf_counter()
    if task.strategy == FULL:
        return about | {"full": full(data, task.learner)}
    try:
        run = simulate(
            data,
            arm or named_arm(task.strategy),
            seed=task.seed,
            labels=task.labels,
            learner=task.learner,
        )
    except Exception as error:  # noqa: BLE001 - a peer that crashes is a result
        return about | {"error": f"{type(error).__name__}: {error}".splitlines()[0][:300]}
    return about | {
        "counts": run.labels,
        "metric": [round(value, 5) for value in run.metric],
        "chosen": run.chosen,
        "pick_seconds": round(run.pick_seconds, 3),
        "fit_seconds": round(run.fit_seconds, 3),
        "seconds": round(time.perf_counter() - begin, 3),
    }


def campaign(
    arms: Iterable[str] | dict[str, Arm] = DEFAULT,
    *,
    datasets: Iterable[str] = ("digits", "trec"),
    seeds: int | Iterable[int] = 10,
    learner: str = "heads",
    labels: int | None = None,
    jobs: int = 1,
    out: Path | None = OUT,
    version: str | None = None,
    say: Callable[[str], None] = print,
) -> list[dict[str, Any]]:
    """Run every arm on every data set and seed; what ``out`` has already is not run again.

    Parameters
    ----------
    arms
        Names, or functions ``f(round) -> rows`` by the names they shall have.
    version
        Results of another version are run again. By default a hash of the package's learners and
        strategies for our arms.
    """
    from joblib import Parallel, delayed

    made: dict[str, Arm | None] = dict(arms) if isinstance(arms, dict) else dict.fromkeys(arms)
    seeds = range(seeds) if isinstance(seeds, int) else list(seeds)
    version = sources("strategies", "learners") if version is None else version
    tasks = []
    for dataset in datasets:
        if not there(dataset):
            say(f"{dataset}: not on this machine, left out")
            continue
        for seed in seeds:
            # Without a seeded split there is one figure with every label.
            figure = seed if dataset == "digits" else 0
            tasks.append(Task(dataset, FULL, figure, learner, 0))
            most = labels or LABELS.get(dataset, ELSEWHERE)
            tasks += [Task(dataset, name, seed, learner, most, version) for name in made]
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    if out is not None and out.is_file():
        for line in out.read_text().splitlines():
            row = json.loads(line)
            if "error" not in row:
                found[Task(**{name: row[name] for name in Task.__dataclass_fields__}).key] = row
    keys = list(dict.fromkeys(task.key for task in tasks))
    missing = [Task(*key) for key in keys if key not in found]
    say(f"{len(missing)} of {len(keys)} simulations to run, the others are there already")
    if out is not None:
        out.parent.mkdir(exist_ok=True, parents=True)
    results = Parallel(n_jobs=jobs, return_as="generator_unordered")(
        delayed(play)(task, made.get(task.strategy)) for task in missing
    )
    for number, row in enumerate(results, 1):
        key = Task(**{name: row[name] for name in Task.__dataclass_fields__}).key
        found[key] = row
        if out is not None:
            with out.open("a") as file:
                file.write(json.dumps(row) + "\n")
        if row.get("error"):
            say(f"{row['dataset']} {row['strategy']} seed {row['seed']}: {row['error']}")
        elif number % 20 == 0 or number == len(missing):
            say(f"{number} of {len(missing)} done")
    return [found[key] for key in keys]


def area(row: dict[str, Any]) -> float:
    """Mean of the metric over the batches."""
    return float(np.mean(row["metric"]))


def labels_to(row: dict[str, Any], target: float) -> float:
    """The first number of labels at which the metric is there; infinite where it never is."""
    reached = np.flatnonzero(np.array(row["metric"]) >= target)
    return float(row["counts"][reached[0]]) if len(reached) else float("inf")


def holm(p: NDArray[np.float64]) -> NDArray[np.float64]:
    """P values corrected for that many tests (Holm, 1979)."""
    order = np.argsort(p)
    corrected = np.maximum.accumulate((len(p) - np.arange(len(p))) * p[order])
    result = np.empty(len(p))
    result[order] = np.minimum(corrected, 1)
    return result


def summary(rows: list[dict[str, Any]], baseline: str = "margin") -> list[dict[str, Any]]:
    """A row for each data set and arm, in the order of the areas.

    ``labels to`` are medians over the seeds of the labels to a share of the figure with every
    label; ``alone`` is the p value of Wilcoxon's signed-rank test of the areas against the
    baseline, over the paired seeds, and ``p`` the same with Holm's correction among the arms of a
    data set.
    """
    from scipy.stats import wilcoxon

    result = []
    for dataset, learner in dict.fromkeys((row["dataset"], row["learner"]) for row in rows):
        here = [row for row in rows if (row["dataset"], row["learner"]) == (dataset, learner)]
        figures = {row["seed"]: row["full"] for row in here if "full" in row}
        arms: dict[str, dict[int, dict[str, Any]]] = {}
        errors = {}
        for row in here:
            if "metric" in row:
                arms.setdefault(row["strategy"], {})[row["seed"]] = row
            elif "error" in row:
                errors[row["strategy"]] = row["error"]
        base = {seed: area(row) for seed, row in arms.get(baseline, {}).items()}
        group = []
        for name, by_seed in arms.items():
            areas = {seed: area(row) for seed, row in by_seed.items()}
            both = sorted(set(areas) & set(base))
            gains = np.array([areas[seed] - base[seed] for seed in both])
            p = 1.0 if name == baseline or not gains.any() else float(wilcoxon(gains).pvalue)
            values = list(areas.values())
            needed = {}
            for share in TARGETS:
                to = [
                    labels_to(row, share * figures.get(seed, figures[0]))
                    for seed, row in by_seed.items()
                ]
                needed[f"labels to {share:.0%}"] = float(np.median(to))
            spread = 1.96 * float(np.std(values, ddof=1)) / len(values) ** 0.5 if values[1:] else 0
            chosen: dict[str, list[int]] = {}
            for row in by_seed.values():
                for who, at in row["chosen"].items():
                    chosen.setdefault(who, []).append(at)
            group.append(
                {
                    "dataset": dataset,
                    "learner": learner,
                    "arm": name,
                    "area": float(np.mean(values)),
                    "interval": spread,
                    "gain": float(gains.mean()) if len(gains) else float("nan"),
                    "alone": p,
                    "p": p,
                    "seeds": len(values),
                    "labels": max(row["counts"][-1] for row in by_seed.values()),
                    **needed,
                    "full": float(np.mean(list(figures.values()))),
                    "pick s": float(np.mean([row["pick_seconds"] for row in by_seed.values()])),
                    "chosen": {who: float(np.mean(at)) for who, at in chosen.items()},
                }
            )
        others = [row for row in group if row["arm"] != baseline]
        if others:
            corrected = holm(np.array([row["p"] for row in others]))
            for row, value in zip(others, corrected, strict=True):
                row["p"] = float(value)
        result += sorted(group, key=lambda row: -row["area"])
        result += [
            {"dataset": dataset, "learner": learner, "arm": name, "error": error}
            for name, error in errors.items()
            if name not in arms
        ]
    return result


def table(summaries: list[dict[str, Any]]) -> str:
    """The summary to read."""
    head = f"{'data':<10}{'learner':<9} {'arm':<28} {'area':>15} {'vs margin':>10} {'p':>6}"
    head += "".join(f"{share:>7.0%}" for share in TARGETS) + f"{'pick s':>8}  chosen"
    lines = [head]
    for row in summaries:
        start = f"{row['dataset']:<10}{row['learner']:<9} {row['arm']:<28} "
        if "error" in row:
            lines.append(start + row["error"][:90])
            continue
        to = [row[f"labels to {share:.0%}"] for share in TARGETS]
        chosen = ", ".join(f"{name} from {at:.0f}" for name, at in row["chosen"].items())
        itself = list(row["chosen"]) == [row["arm"]]
        lines.append(
            start
            + f"{row['area']:>7.4f} ±{row['interval']:.4f}"
            + f"{row['gain']:>+11.4f} {row['p']:>6.3f}"
            + "".join(f"{n:>7.0f}" if np.isfinite(n) else f"{'never':>7}" for n in to)
            + f"{row['pick s']:>8.1f}  {'' if itself else chosen}"
        )
    return "\n".join(lines)


def auto_bars(summaries: list[dict[str, Any]], name: str = "auto") -> list[dict[str, Any]]:
    """Where ``auto`` stands against margin and the best other arm of each data set.

    Against margin the test is not corrected for the other arms: it would hide a loss.
    """
    bars = []
    for dataset in dict.fromkeys(row["dataset"] for row in summaries):
        here = [row for row in summaries if row["dataset"] == dataset and "area" in row]
        found = {row["arm"]: row for row in here}
        singles = [row for row in here if row["arm"] not in (name, "random")]
        if name not in found or not singles:
            continue
        best = max(singles, key=lambda row: row["area"])
        mine = found[name]
        most = BEST.get(dataset)
        bars.append(
            {
                "dataset": dataset,
                "gain over margin": mine["gain"],
                "p": mine["alone"],
                "not worse than margin": not (mine["alone"] < 0.05 and mine["gain"] < 0),
                "behind the best": best["area"] - mine["area"],
                "best": best["arm"],
                "within 0.002": mine["area"] >= best["area"] - 0.002,
                "labels to 95%": mine["labels to 95%"],
                "at most": None if most is None or mine["labels"] < most else most,
            }
        )
    return bars


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--datasets", nargs="+", default=list(DATASETS), choices=list(DATASETS))
    parser.add_argument("--strategies", nargs="+", default=list(DEFAULT))
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--learner", choices=("heads", "logistic"), default="heads")
    parser.add_argument("--labels", type=int, help="go to this many labels (TREC 1500, others 500)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--out", type=Path, default=OUT)
    parser.add_argument("--baseline", default="margin")
    parser.add_argument("--version", help="of the results; by default a hash of the code")
    asked = parser.parse_args()
    rows = campaign(
        asked.strategies,
        datasets=asked.datasets,
        seeds=asked.seeds,
        learner=asked.learner,
        labels=asked.labels,
        jobs=asked.jobs,
        out=asked.out,
        version=asked.version,
    )
    found = summary(rows, asked.baseline)
    print(table(found))
    for bar in auto_bars(found):
        print(bar)
    sys.stdout.flush()


if __name__ == "__main__":
    main()
