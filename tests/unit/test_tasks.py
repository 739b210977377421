"""Classification: names, codes, and what it refuses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from alwidgets.errors import AnswerError, TaskError
from alwidgets.tasks import MAX_CLASSES, Classification


def test_every_class_comes_back_from_its_code() -> None:
    task = Classification(["ham", "spam", "7"])
    for code, name in enumerate(task.classes):
        assert task.encode(name) == code
        assert task.decode(code) == name


def test_numbers_are_taken_by_their_text() -> None:
    task = Classification(range(3))
    assert task.classes == ("0", "1", "2")
    assert task.validate(np.int64(2)) == "2"


def test_a_class_can_be_added_and_the_codes_of_the_others_stay() -> None:
    task = Classification(["a", "b"])
    task.add("c")
    assert [task.encode(n) for n in "abc"] == [0, 1, 2]
    with pytest.raises(TaskError, match="stand twice: c"):
        task.add("c")


def test_the_most_classes() -> None:
    task = Classification(range(MAX_CLASSES))
    with pytest.raises(TaskError, match="at most 1,000"):
        task.add("one more")


@pytest.mark.parametrize(
    ("classes", "says"),
    [
        ([], "at least 2 classes, got 0"),
        (["only"], "at least 2 classes, got 1"),
        (["a", "a"], "stand twice: a"),
        (["a", " "], "is empty"),
        (["a", None], "must be a text"),
        (["a", "b\ud800"], "no text that can be kept"),
        (["a", True], "must be a text"),
        ("ab", "list of names"),
    ],
)
def test_bad_classes(classes: Any, says: str) -> None:
    with pytest.raises(TaskError, match=says):
        Classification(classes)


@pytest.mark.parametrize("answer", ["c", None, True, 1.5, ["a"], {"a": 1}])
def test_bad_answers(answer: object) -> None:
    with pytest.raises(AnswerError, match=r"no class of this task \(a, b\)"):
        Classification(["a", "b"]).validate(answer)


@pytest.mark.parametrize(
    ("mine", "theirs", "both"),
    [
        ("ab", "ab", "ab"),
        ("ab", "abc", "abc"),
        ("abc", "ab", "abc"),
        ("ba", "ab", "ab"),
        ("cab", "ba", "bac"),
    ],
)
def test_a_description_of_the_same_task_brings_its_order_and_its_classes(
    mine: str, theirs: str, both: str
) -> None:
    task = Classification(list(mine))
    task.reconcile({"kind": "classification", "classes": list(theirs)})
    assert task.classes == tuple(both)


@pytest.mark.parametrize(
    "described",
    [
        {"kind": "classification", "classes": ["b", "c"]},
        {"kind": "rating", "classes": ["a", "b"]},
    ],
)
def test_a_description_of_another_task_is_refused(described: dict[str, Any]) -> None:
    with pytest.raises(TaskError, match="the store is for"):
        Classification(["a", "b"]).reconcile(described)
