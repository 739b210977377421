"""What every kind of answer must do, from the task to the labels."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import alwidgets as al
from alwidgets.errors import AnswerError, StoreError, TaskError
from alwidgets.tasks import Task
from alwidgets.widgets.cards import Cards

#: How each kind is made; another one of the kind; answers that mean the same; and what is none.
KINDS: dict[str, tuple[Callable[[], Task], Callable[[], Task], list[Any], list[Any]]] = {
    "classification": (
        lambda: al.Classification(["ham", "spam", "7"], keys={"ham": "h"}),
        lambda: al.Classification(["cat", "dog"]),
        [7, np.int64(7), "7"],
        ["eggs", None, True, 1.5, ["ham"], {}],
    ),
    "binary": (
        lambda: al.Binary("spam"),
        lambda: al.Binary("news"),
        [True, np.True_],
        ["spam", "True", 1, 0, None, [True]],
    ),
    "rating": (
        lambda: al.Rating(0, 5),
        lambda: al.Rating(1, 5),
        [3, np.int8(3)],
        [6, -1, "3", 3.0, True, None, [3]],
    ),
    "text": (
        lambda: al.Correction(multiline=True),
        lambda: al.Binary("text"),
        ["É 😀\r\n", "".join(["É 😀", "\r\n"])],
        [7, None, True, ["x"], {}, "x" * 10_001, "half \ud83d", "nought \0"],
    ),
    "multilabel": (
        lambda: al.MultiLabel(["joy", "anger", "7"], keys={"joy": "j"}),
        lambda: al.MultiLabel(["joy", "anger"]),
        [["joy", "7"], ("7", "joy"), {"joy", 7}, np.array(["joy", "7"], dtype=object)],
        ["joy", "joy|anger", None, ["fear"], ["joy", "joy"], [True], {"joy": 1}, b"joy", 1, [[]]],
    ),
}
#: Those that a model is trained on; `test_correction` has the other.
LEARNT = [name for name, (make, *_) in KINDS.items() if make().classes]


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def task(kind: str) -> Task:
    return KINDS[kind][0]()


def test_codes_and_answers_go_together(task: Task) -> None:
    assert isinstance(task, Task)
    answers = [task.decode(code) for code in range(len(task.classes))]
    assert [task.encode(answer) for answer in answers] == list(range(len(task.classes)))
    assert [task.validate(answer) for answer in answers] == answers
    assert json.loads(json.dumps(answers)) == answers


def test_what_means_the_same_is_stored_the_same(task: Task, kind: str) -> None:
    given = KINDS[kind][2]
    stored = [json.dumps(task.validate(answer)) for answer in given]
    assert len(set(stored)) == 1


def test_no_answer_is_refused_by_name(task: Task, kind: str) -> None:
    for answer in KINDS[kind][3]:
        with pytest.raises(AnswerError, match=r"this (task|scale)"):
            task.validate(answer)


def test_the_cards_are_told_how_to_ask(task: Task) -> None:
    asked = json.loads(json.dumps(task.asked()))
    assert asked["classes"] == list(task.classes)
    assert asked["codes"] == list(range(len(task.classes)))
    answers = [[a] for a in asked["answers"]] if task.multilabel else asked["answers"]
    assert [task.encode(answer) for answer in answers] == asked["codes"]
    keys = [key for key in asked["keys"] or [] if key is not None]
    assert len(keys) == len(set(keys))


def test_a_description_is_known_again_and_another_one_is_not(task: Task, kind: str) -> None:
    described = json.loads(json.dumps(task.to_json()))
    KINDS[kind][0]().reconcile(described)
    with pytest.raises(TaskError, match="the store is for"):
        KINDS[kind][1]().reconcile(described)
    for other, (make, *_) in KINDS.items():
        if other != kind:
            with pytest.raises(TaskError):
                make().reconcile(described)


def test_a_copy_is_a_task_of_its_own(task: Task) -> None:
    assert copy.copy(task).to_json() == task.to_json()
    assert repr(task).startswith(type(task).__name__)


@pytest.mark.parametrize("kind", LEARNT, indirect=True)
def test_a_session_asks_learns_and_resumes(task: Task, kind: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    truth = rng.integers(0, len(task.classes), 150)
    features = np.eye(len(task.classes))[truth] * 8 + rng.normal(size=(150, len(task.classes)))
    pool = al.Pool.from_arrays(features, ids=range(150))
    where = tmp_path / "labels.db"
    session = al.Session(pool, task, where, batch_size=10, executor=al.InlineExecutor())
    cards = Cards(session)
    assert cards._task == task.asked()
    for _ in range(50):
        item = session.next()[0]
        session.record(item.id, task.decode(int(truth[item.index])))
    assert session.version >= 2
    told = zip(session.predict(features), truth, strict=True)
    assert np.mean([answer == task.decode(int(code)) for answer, code in told]) > 0.9
    labels = session.labels()
    assert [task.encode(a) for a in labels["answer"]] == truth[labels.index.astype(int)].tolist()
    suggestion = session.suggestion(int(item.index))
    assert suggestion is None or task.validate(suggestion[0]) == suggestion[0]
    with pytest.raises(AnswerError):
        session.record(session.next()[0].id, KINDS[kind][3][0])
    cards.close()
    session.close()
    again = al.Session(pool, KINDS[kind][0](), where, executor=al.InlineExecutor())
    assert again.labels().equals(labels)
    again.close()
    with pytest.raises(StoreError, match="another task"):
        al.Session(pool, KINDS[kind][1](), where)


@pytest.mark.parametrize("kind", LEARNT, indirect=True)
def test_targets_and_codes_go_together(task: Task) -> None:
    codes = np.array([task.encode(task.decode(code)) for code in (1, 0, 0, 1)])
    targets = task.targets(codes)
    assert targets.shape == (len(codes), *([len(task.classes)] if task.multilabel else []))
    assert task.codes(targets).tolist() == codes.tolist()
    assert len(task.codes(targets[:0])) == 0
    # What the map tells apart: the classes, and what else an answer can be.
    assert task.categories[: len(task.classes)] == task.classes


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: al.Binary(""), "give its name"),
        (lambda: al.Binary(["spam"]), "give its name"),  # type: ignore[arg-type]
        (lambda: al.Rating(1.5, 5), "whole numbers"),  # type: ignore[arg-type]
        (lambda: al.Rating(1, 1), "2 to 11 steps"),
        (lambda: al.Rating(0, 11), "2 to 11 steps"),
        (lambda: al.Classification("ab", keys={}), "list of names"),
        (lambda: al.Classification(["a", "b"], keys={"c": "x"}), "no class of this task"),
        (lambda: al.Classification(["a", "b"], keys={"a": "xy"}), "one character"),
        (lambda: al.Classification(["a", "b"], keys={"a": "F"}), "'f' flags on the cards"),
        (lambda: al.Classification(["a", "b"], keys={"a": "x", "b": "X"}), "Two classes have"),
        (lambda: al.Binary("spam", keys={"spam": " "}), "skips on the cards"),
        (lambda: al.Binary("spam", keys={"spam": "b"}), "goes back to earlier cards"),
        (lambda: al.Binary("spam", keys={"spam": "c"}), "comments on the cards"),
        (lambda: al.Binary("spam", keys={"spam": "G"}), "shows the guidelines"),
        (lambda: al.Binary("spam", keys={"spam": "t"}), "labels several together"),
        (lambda: al.Correction(start=""), "start names the metadata column"),
        (lambda: al.Correction(multiline=1), "multiline must be"),  # type: ignore[arg-type]
    ],
)
def test_what_cannot_be_asked_is_named(make: Callable[[], Task], says: str) -> None:
    with pytest.raises(TaskError, match=says):
        make()


def test_keys_may_be_others() -> None:
    asked = al.Binary("spam", keys={"spam": "s", "not spam": "h"}).asked()
    assert asked["keys"] == ["h", "s"]
    assert al.Rating(0, 10).asked()["keys"] == [*map(str, range(10)), None]
    assert al.Classification(["a", "b"], keys={"b": "x"}).asked()["keys"] == [None, "x"]
