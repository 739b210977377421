"""Words that drive a suggestion: against models whose words are known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import alwidgets as al
from alwidgets.attribution import MOST_TOLD, driving_words
from alwidgets.content import Text

WEIGHTS = {"prize": 2.0, "win": 1.0, "meeting": -4.0}


def linear(texts: list[str]) -> np.ndarray:
    """A model that adds up the weights of the words."""
    odds = [sum(WEIGHTS.get(word, 0.0) for word in text.lower().split()) for text in texts]
    return 1 / (1 + np.exp(-np.array(odds)))


def test_weights_are_the_models_own_up_to_their_scale() -> None:
    text = "Win the prize after the meeting"
    found = {text[a:b]: weight for a, b, weight in driving_words(text, linear)}
    assert found == pytest.approx({"Win": 0.25, "prize": 0.5, "meeting": -1.0})


def test_a_word_is_marked_wherever_it_stands_and_weighs_as_a_whole() -> None:
    text = "prize prize win"
    places = [(start, end) for start, end, _ in driving_words(text, linear)]
    assert places == [(0, 5), (6, 11), (12, 15)]
    assert [w for *_, w in driving_words(text, linear)] == pytest.approx([1, 1, 0.25])


def test_what_changes_nothing_is_not_marked() -> None:
    assert driving_words("the after of", linear) == []
    assert driving_words("", linear) == []
    assert driving_words("?! …", linear) == []
    assert driving_words("win", lambda texts: np.ones(len(texts))) == []


def test_places_are_counted_in_characters() -> None:
    text = "🎉🎉 prize ünïcode"
    ((start, end, _),) = driving_words(text, linear)
    assert text[start:end] == "prize"


@given(st.text(max_size=200), st.integers(0, 2**16))
def test_marks_lie_in_any_text(text: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    marks = driving_words(text, lambda texts: rng.random(len(texts)))
    for start, end, weight in marks:
        assert 0 <= start < end <= len(text)
        assert -1 <= weight <= 1
    assert len({text[a:b].casefold() for a, b, _ in marks}) <= MOST_TOLD
    Text(text, marks=marks)  # a card can show them


@pytest.fixture
def session(tmp_path: Path) -> al.Session:
    spam = [f"claim your prize number {i} now" for i in range(30)]
    ham = [f"see you at the meeting on day {i}" for i in range(30)]
    pool = al.Pool.from_texts(spam + ham, ids=range(60))
    session = al.Session(
        pool, al.Classification(["ham", "spam"]), tmp_path / "l.db", executor=al.InlineExecutor()
    )
    for item in session.next(20):
        session.record(item.id, "spam" if item.index < 30 else "ham")
    session.retrain()
    return session


def test_a_session_tells_the_words(session: al.Session) -> None:
    item = next(i for i in session.next(20) if i.suggestion is not None)
    text = session.pool.contents[item.index].text  # type: ignore[union-attr]
    marks = session.driving_words(item.id)
    strongest = max(marks, key=lambda mark: mark[2])
    of_spam = ("claim", "your", "prize", "number", "now")
    assert (text[strongest[0] : strongest[1]] in of_spam) == (item.suggestion == "spam")
    assert max(abs(weight) for *_, weight in marks) == 1.0
    session.close()


def test_nothing_is_told_of_audit_items(session: al.Session) -> None:
    audit = int(np.flatnonzero(session.reserved)[0])
    assert session.driving_words(session.pool.ids[audit]) == []
    session.close()


def test_there_are_no_words_in_rows_and_before_there_is_a_model() -> None:
    X = np.random.default_rng(0).normal(size=(40, 4)).astype(np.float32)
    pool = al.Pool.from_arrays(X, content=[f"text {i}" for i in range(40)], ids=range(40))
    session = al.Session(pool, al.Classification(["a", "b"]))
    assert session.driving_words("0") == []
    session.close()
    texts = al.Session(al.Pool.from_texts(["one", "two"]), al.Classification(["a", "b"]))
    assert texts.driving_words(texts.pool.ids[0]) == []
    texts.close()


def test_of_several_labels_the_words_of_all_of_them_are_told() -> None:
    words = {"joy": "glad", "anger": "rage"}
    rng = np.random.default_rng(0)
    has = rng.random((120, 2)) < 0.5
    texts = [
        " ".join([f"text {i}", *(w for w, h in zip(words.values(), row, strict=True) if h)])
        for i, row in enumerate(has)
    ]
    pool = al.Pool.from_texts(texts, ids=range(120))
    session = al.Session(pool, al.MultiLabel(list(words)), executor=al.InlineExecutor())
    for item in session.next(60):
        session.record(item.id, [n for n, h in zip(words, has[item.index], strict=True) if h])
    session.retrain()
    both = next(i for i in session.next(60) if i.suggestion == ["joy", "anger"])
    text = texts[both.index]
    marks = {text[a:b]: weight for a, b, weight in session.driving_words(both.id)}
    assert marks["glad"] > 0.1
    assert marks["rage"] > 0.1
    session.close()
