"""Odd pools on the map: a clear message, and the map stays up."""

from __future__ import annotations

import io
import json
import wave
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import numpy as np
import pytest

import alwidgets as al
from alwidgets.content import Audio, Image
from alwidgets.projection import Map
from alwidgets.widgets import colourings
from alwidgets.widgets.background import Background
from alwidgets.widgets.finder import Finder
from alwidgets.widgets.preview import LONGEST_SOUND, preview
from tests.widgets.test_projector import FakePool, FakeSession, FakeWorker, Heard


class Shown:
    """A pool's map, laid out by PCA alone."""

    def __init__(self, pool: al.Pool, features: Any) -> None:
        self.session = al.Session(pool, al.Classification(["left", "right"]))
        shared = Map(lambda: features, worker=FakeWorker(), run=lambda work: work())
        self.view = Heard(self.session, map=shared)
        self.view._slow = Background(lambda _: self.view._show_slow(), run=lambda work: work())
        self.view._finder = Finder(self.session, self.view._post, run=lambda work: work())

    def tell(self, **message: Any) -> dict[str, Any]:
        """Send a message as the page does; what comes back, the last of each type."""
        self.view.take()
        self.view._handle_custom_msg(message, [])
        return {sent["type"]: (sent, buffers) for sent, buffers in self.view.take()}

    def close(self) -> None:
        self.view.close()
        self.session.close()


def shown(features: np.ndarray, **options: Any) -> Any:
    features = features.astype(np.float32)
    pool = al.Pool.from_arrays(features, ids=range(len(features)), **options)
    return closing(Shown(pool, features))


ODD = {
    "one item": np.ones((1, 3)),
    "two items": np.array([[0.0, 1], [2, 5]]),
    "two equal items": np.ones((2, 3)),
    "all items equal": np.full((60, 4), 7.0),
    "constant features": np.c_[np.arange(60.0), np.zeros((60, 3))],
    "all features but one item's constant": np.r_[np.zeros((59, 3)), np.full((1, 3), 1e6)],
    "very large features": np.random.default_rng(0).normal(size=(60, 3)) * 1e18,
}


@pytest.mark.parametrize("name", ODD)
def test_odd_features_are_shown(name: str) -> None:
    features = ODD[name]
    n = len(features)
    with shown(features) as page:
        hello = page.tell(type="hello")
        assert "refused" not in hello
        if "equal" in name:
            assert "are the same here" in hello["problem"][0]["text"]
        else:
            assert "problem" not in hello
        points, (xy,) = hello["points"]
        coords = np.frombuffer(xy, "<f4")
        assert (points["n"], len(coords)) == (n, 2 * n)
        assert np.abs(coords).max() <= 1 + 1e-6  # and no NaN
        for by in ("outlier", "label", "stream", "annotator"):
            colours, (codes,) = page.tell(type="colour_by", by=by)["colours"]
            assert (colours["by"], len(codes)) == (by, n)
        varied, (steps,) = page.tell(type="vary", what="size", by="outlier")["varied"]
        assert np.isfinite(varied["range"]).all()
        assert len(steps) == n
        assert page.tell(type="preview", index=n - 1)["preview"][0]["index"] == n - 1
        assert "refused" in page.tell(type="preview", index=n)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_features_that_are_no_numbers_are_named_and_the_rest_goes_on(value: float) -> None:
    features = np.random.default_rng(0).normal(size=(60, 3)).astype(np.float32)
    features[41, 1] = value
    with pytest.raises(al.errors.PoolError, match=r"row 41 .*column 1.*Fill or drop"):
        al.Pool.from_arrays(features)
    # Where they come later, as an encoder's do, the map says so and everything else works.
    sound = np.zeros((60, 3), dtype=np.float32)
    with closing(Shown(al.Pool.from_arrays(sound, ids=range(60)), features)) as page:
        hello = page.tell(type="hello")
        assert "Row 41" in hello["problem"][0]["text"]
        assert {"colours", "choices", "cards"} <= set(hello)
        assert "points" not in hello
        assert "preview" in page.tell(type="preview", index=3)


def test_ten_thousand_columns_make_no_long_message() -> None:
    metadata = {f"measure {i}, as it was at the gate": [0.5, 1.5, 2.5] for i in range(10_000)}
    with shown(np.eye(3), metadata=metadata) as page:
        choices, _ = page.tell(type="hello")["choices"]
        assert choices["n_columns"] == 10_000
        assert len(json.dumps(choices)) < 20_000
        found, _ = page.tell(type="columns", search="MEASURE 99")["columns"]
        assert (found["total"], len(found["names"])) == (111, colourings.COLUMNS)
        assert len(json.dumps(found)) < 10_000
        last = "meta:measure 9999, as it was at the gate"
        assert page.tell(type="colour_by", by=last)["colours"][0]["by"] == last


TYPED = [
    '"unclosed',
    "a AND",
    "AND",
    "col:",
    "col:col:",
    ")",
    "((",
    "NEAR(",
    "*",
    '"" ""',
    "-",
    "\\",
    "'; --",
]


@pytest.fixture(scope="module")
def searched() -> Iterator[Shown]:
    with shown(np.eye(3), content=["a cat", "a dog", 'it\'s "quoted" AND (more)']) as page:
        yield page


@pytest.mark.parametrize("typed", TYPED)
def test_whatever_is_typed_is_answered(searched: Shown, typed: str) -> None:
    found, (positions,) = searched.tell(type="search", text=typed)["found"]
    assert found["text"] == typed
    assert not (found["error"] or "").startswith("The search failed")
    assert len(positions) == 4 * found["total"]


def test_a_broken_image_is_sent_as_it_is_and_the_map_goes_on() -> None:
    pool = FakePool(1)
    pool.contents = [Image(b"no image at all", "image/png", 8, 8)]
    message, buffers = preview(FakeSession(pool=pool, codes=np.array([-1])), 0)
    assert message["content"]["kind"] == "image"
    assert buffers == [b"no image at all"]


def test_a_sound_comes_with_its_bytes_unless_it_is_long() -> None:
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setparams((1, 2, 8_000, 0, "NONE", ""))
        out.writeframes(bytes(200))
    sound = Audio(file.getvalue())
    pool = FakePool(2)
    pool.contents = [sound, Audio(sound.data + bytes(LONGEST_SOUND))]
    session = FakeSession(pool=pool, codes=np.array([-1, -1]))
    message, buffers = preview(session, 0)
    content = {"kind": "audio", "mime": "audio/wav", "buffer": 0, "alt": "Item item-0"}
    assert (message["content"], buffers) == (content, [sound.data])
    message, buffers = preview(session, 1)
    assert message["content"] == {"kind": "text", "text": "Audio, WAV, 8,000 kB"}
    assert buffers == []
