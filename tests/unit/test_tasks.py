"""Classification: names, codes, and what it refuses."""

from __future__ import annotations

import copy
import json
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
    with pytest.raises(TaskError, match="a class 'c' already"):
        task.add("c")


def test_a_class_gets_another_name_and_answers_under_the_old_one_follow() -> None:
    task = Classification(["ham", "spam", "eggs"], keys={"ham": "h"})
    task.rename("ham", "news")
    assert task.classes == task.choices == ("news", "spam", "eggs")
    assert (task.validate("ham"), task.encode("ham"), task.decode(0)) == ("news", 0, "news")
    assert task.asked()["keys"] == ["h", None, None]
    task.rename("news", "letters")
    assert (task.validate("ham"), task.validate("news")) == ("letters", "letters")


def test_a_class_becomes_part_of_another() -> None:
    task = Classification(["ham", "spam", "eggs", "fish"])
    task.merge("eggs", into="ham")
    task.merge("ham", into="fish")
    assert task.choices == ("spam", "fish")
    assert [task.validate(n) for n in ("ham", "spam", "eggs", "fish")] == [
        "fish",
        "spam",
        *["fish"] * 2,
    ]
    assert [task.decode(code) for code in range(4)] == ["fish", "spam", "fish", "fish"]
    assert task.encode("eggs") == 3
    assert task.classes == ("ham (now fish)", "spam", "eggs (now fish)", "fish")
    assert task.asked()["codes"] == [1, 3]


def test_changes_that_cannot_be() -> None:
    task = Classification(["ham", "spam", "eggs"])
    task.rename("ham", "news")
    task.merge("eggs", into="spam")
    for change, says in (
        (lambda: task.rename("ham", "x"), "'ham' is no class"),
        (lambda: task.rename("spam", "news"), "a class 'news' already"),
        (lambda: task.rename("spam", "ham"), "'ham' was the name of what is 'news' now"),
        (lambda: task.add("eggs"), "'eggs' was the name of what is 'spam' now"),
        (lambda: task.merge("news", "news"), "into itself"),
        (lambda: task.merge("news", "spam"), "One class alone would be left"),
        (lambda: task.merge("eggs", "spam"), "'eggs' is no class"),
    ):
        before = task.to_json()
        with pytest.raises(TaskError, match=says):
            change()
        assert task.to_json() == before


def test_a_class_gets_a_name_again_that_it_had() -> None:
    task = Classification(["a", "b", "c"], keys={"a": "x"})
    task.rename("a", "aa")
    task.rename("aa", "a")
    assert task.choices == ("a", "b", "c")
    assert (task.validate("aa"), task.encode("aa")) == ("a", 0)
    assert task.asked()["keys"] == ["x", None, None]
    described = json.loads(json.dumps(task.to_json()))
    for names in (["a", "b", "c"], ["aa", "b", "c"]):
        again = Classification(names)
        again.reconcile(described)
        assert again.to_json() == described
    task.rename("a", "aa")
    assert (task.validate("a"), task.choices) == ("aa", ("aa", "b", "c"))
    for name in ("a", "aa"):
        with pytest.raises(TaskError, match="choose another"):
            task.rename("b", name)
    task.merge("c", "b")
    with pytest.raises(TaskError, match="'c' was the name of what is 'b' now"):
        task.rename("b", "c")


def test_a_cell_need_not_name_what_was_merged_to_add_a_class() -> None:
    kept = Classification(["a", "b", "c"])
    kept.merge("c", "b")
    described = json.loads(json.dumps(kept.to_json()))
    more = Classification(["a", "b", "d"])
    more.reconcile(described)
    assert more.choices == ("a", "b", "d")
    assert (more.validate("c"), more.encode("d")) == ("b", 3)
    with pytest.raises(TaskError, match="the store is for"):
        Classification(["a", "c", "d"]).reconcile(described)


def test_a_copy_changes_alone() -> None:
    task = Classification(["ham", "spam", "eggs"])
    other = copy.copy(task)
    other.rename("ham", "news")
    other.merge("eggs", into="spam")
    other.add("fish")
    assert task.to_json() == Classification(["ham", "spam", "eggs"]).to_json()


def test_the_classes_that_a_cell_names_are_found_again_after_changes() -> None:
    kept = Classification(["ham", "spam", "eggs"])
    kept.rename("ham", "news")
    kept.merge("eggs", into="spam")
    kept.add("fish")
    described = json.loads(json.dumps(kept.to_json()))
    for names in (["ham", "spam", "eggs"], ["news", "spam"], ["spam", "ham", "fish"]):
        again = Classification(names, keys={names[0]: "x"})
        again.reconcile(described)
        assert again.to_json() == described
        assert again.choices == ("news", "spam", "fish")
        assert again.asked()["keys"] is not None
    more = Classification(["news", "spam", "eggs", "fish", "fowl"])
    more.reconcile(described)
    assert more.choices == ("news", "spam", "fish", "fowl")
    with pytest.raises(TaskError, match="the store is for"):
        Classification(["news", "cat"]).reconcile(described)


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
    with pytest.raises(AnswerError, match=r"no class of this task \[a, b\]"):
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
