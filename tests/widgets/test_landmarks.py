"""The names of the map's regions as messages."""

from __future__ import annotations

import numpy as np

import alwidgets as al
from alwidgets.content import Image
from alwidgets.projection.regions import find_regions
from alwidgets.widgets.landmarks import THUMBNAIL, landmarks

RNG = np.random.default_rng(0)
SIDE = np.arange(200) % 2
COORDS = (RNG.normal(scale=0.1, size=(200, 2)) + 0.8 * SIDE[:, None]).astype(np.float32)


def test_texts_are_named_by_words() -> None:
    texts = [f"{'prize' if s else 'lunch'} number {i}" for i, s in enumerate(SIDE)]
    pool = al.Pool.from_texts(texts, features=COORDS)
    message, buffers = landmarks(pool, COORDS, 3, lambda: None)
    assert (message["type"], message["revision"], buffers) == ("regions", 3, [])
    assert message["regions"]
    for region in message["regions"]:
        assert region["image"] is None
        word = "prize" if SIDE[region["index"]] else "lunch"
        assert word in region["words"] or len(message["regions"]) > 2


def test_images_are_named_by_a_small_copy() -> None:
    images = RNG.integers(0, 255, (200, 120, 60), dtype=np.uint8)
    pool = al.Pool.from_images(images, features=COORDS)
    message, buffers = landmarks(pool, COORDS, 1, lambda: None)
    assert message["regions"]
    for region in message["regions"]:
        assert region["words"] == ""
        small = Image.from_bytes(buffers[region["image"]["buffer"]])
        assert (small.width, small.height) == (THUMBNAIL // 2, THUMBNAIL)
    assert sum(map(len, buffers)) < 100_000


def test_the_image_of_a_region_is_the_most_typical_as_the_features_tell() -> None:
    # Brightness says which item it is; on the map all of a side lie alike.
    images = np.repeat(np.arange(200, dtype=np.uint8), 60 * 60).reshape(200, 60, 60)
    features = np.where(SIDE == 0, np.arange(200.0), 1_000.0 + np.arange(200))[:, None]
    pool = al.Pool.from_images(images, features=features)
    message, buffers = landmarks(pool, COORDS, 1, lambda: None)
    labels, regions = find_regions(COORDS)
    shown = [
        255 * float(np.median(Image.from_bytes(buffers[region["image"]["buffer"]]).to_array()))
        for region in message["regions"]
    ]
    for label, brightness in enumerate(shown):
        members = np.flatnonzero(labels == label)
        middle = members[(len(members) - 1) // 2 : len(members) // 2 + 1]  # one, or two
        assert middle[0] - 1 < brightness < middle[-1] + 1
    assert [r["index"] for r in message["regions"]] == [r.index for r in regions]


def test_an_image_that_cannot_be_read_names_nothing() -> None:
    pool = al.Pool.from_images(RNG.integers(0, 255, (200, 60, 60), np.uint8), features=COORDS)
    pool.contents = [Image(b"broken", "image/png", 600, 400)] * 200
    message, buffers = landmarks(pool, COORDS, 1, lambda: None)
    assert (message["regions"], buffers) == ([], [])


def test_numbers_alone_have_no_names() -> None:
    pool = al.Pool.from_arrays(COORDS)
    assert landmarks(pool, COORDS, 1, lambda: None)[0]["regions"] == []
