"""What can be done without a notebook: ``python -m alwidgets compare …``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import AlwidgetsError, ComparisonError

if TYPE_CHECKING:
    import pandas as pd

    from .evaluation.comparing import Comparison
    from .pool import Pool

#: As a shell does it for a program that was interrupted.
INTERRUPTED = 130


def parser() -> argparse.ArgumentParser:
    """What the command line may hold."""
    made = argparse.ArgumentParser(prog="python -m alwidgets", description=__doc__)
    commands = made.add_subparsers(dest="command", required=True, metavar="COMMAND")
    compare = commands.add_parser(
        "compare",
        help="random against active, simulated on data with labels",
        description="Simulate labelling with several strategies and with random draws. Called "
        "again with the same --out it plays only what is missing.",
    )
    compare.add_argument("data", type=Path, help="a CSV or Parquet file, an item a row")
    compare.add_argument("--label", required=True, help="column with the class")
    compare.add_argument("--text", help="column with the text; else every other column of numbers")
    compare.add_argument("--strategies", nargs="+", required=True, metavar="NAME")
    compare.add_argument("--seeds", type=int, default=10, help="10")
    compare.add_argument("--batch", type=int, default=20, help="labels a round: 20")
    compare.add_argument("--budget", type=int, default=500, help="labels in all: 500")
    compare.add_argument("--initial", type=int, default=20, help="labels of the beginning: 20")
    compare.add_argument("--learner", choices=("heads", "logistic"), default="heads")
    compare.add_argument("--successors", nargs="*", default=["random_forest"], metavar="NAME")
    compare.add_argument("--test", help="share of the items, or a file like the data")
    compare.add_argument("--metric", default="accuracy")
    compare.add_argument("--target", type=float, help="of the metric")
    compare.add_argument("--seconds", type=float, help="that a label takes")
    compare.add_argument("--out", type=Path, help="keeps the runs as they come")
    compare.add_argument("--json", type=Path, help="all of it, in one JSON file")
    compare.add_argument("--table", type=Path, help="the table, as CSV")
    compare.add_argument("--workers", type=int, help="processes")
    compare.add_argument("--device", default="auto")
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; the exit status."""
    asked = parser().parse_args(arguments)
    try:
        _show(_compare(asked), asked)
    except AlwidgetsError as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201
        return 1
    except KeyboardInterrupt:
        words = "; the same command goes on" if asked.out else ""
        print(f"stopped{words}.", file=sys.stderr)  # noqa: T201
        return INTERRUPTED
    return 0


def _compare(asked: argparse.Namespace) -> Comparison:
    from . import compare

    pool, truth = _read(asked.data, asked.text, asked.label)
    test: Any = None
    if asked.test is not None:
        try:
            test = float(asked.test)
        except ValueError:
            # Encoded as the pool is, whose encoder may have learnt from it.
            frame = _frame(Path(asked.test), asked.text, asked.label)
            items = frame[asked.text].tolist() if asked.text else _numbers(frame, asked.label)
            test = (items, frame[asked.label].tolist())
    learner = None
    if asked.learner == "logistic":
        from sklearn.linear_model import LogisticRegression

        learner = LogisticRegression()
    return compare(
        pool,
        truth,
        asked.strategies,
        seeds=asked.seeds,
        batch=asked.batch,
        budget=asked.budget,
        initial=asked.initial,
        learners=learner,
        successors=tuple(asked.successors),
        test=test,
        metric=asked.metric,
        target=asked.target,
        seconds=asked.seconds,
        out=asked.out,
        workers=asked.workers,
        device=asked.device,
    )


def _show(result: Comparison, asked: argparse.Namespace) -> None:
    table = result.table()
    if asked.table is not None:
        table.to_csv(asked.table)
    if asked.json is not None:
        result.to_json(asked.json)
    print(table.T.to_string(float_format="{:.4g}".format))  # noqa: T201
    print(*result.notes(), sep="\n")  # noqa: T201


def _read(path: Path, text: str | None, label: str) -> tuple[Pool, list[Any]]:
    from .pool import Pool

    frame = _frame(path, text, label)
    truth = frame[label].tolist()
    if text is not None:
        return Pool.from_texts(frame[text].tolist()), truth
    # Rows are items here, equal ones too.
    return Pool.from_arrays(_numbers(frame, label), ids=range(len(frame))), truth


def _frame(path: Path, text: str | None, label: str) -> pd.DataFrame:
    import pandas as pd

    try:
        found = pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path)
    except (OSError, ValueError) as error:
        raise ComparisonError(f"{path} cannot be read: {error}.") from error
    for column in filter(None, (text, label)):
        if column not in found.columns:
            raise ComparisonError(
                f"{path} has no column {column!r}; there are {', '.join(map(str, found.columns))}."
            )
    return found


def _numbers(frame: pd.DataFrame, label: str) -> Any:
    numbers = frame.drop(columns=label).select_dtypes("number")
    if numbers.shape[1] == 0:
        raise ComparisonError("There is no column of numbers: name that of the texts, --text.")
    return numbers.to_numpy(dtype="float32")
