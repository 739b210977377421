"""Pools of every kind of input, and what they say of bad ones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from PIL import Image as Pillow
from sklearn.feature_extraction.text import TfidfVectorizer

from alwidgets.content import Image, Text
from alwidgets.errors import PoolError, UnknownItemError
from alwidgets.ingest import ImageFiles
from alwidgets.pool import Pool

RNG = np.random.default_rng(0)


def test_ids_are_a_hash_of_the_content_and_do_not_depend_on_the_order() -> None:
    one = Pool.from_texts(["a", "b", "c"])
    other = Pool.from_texts(["c", "a", "b"])
    assert sorted(one.ids) == sorted(other.ids)
    assert one.fingerprint == other.fingerprint
    assert one.fingerprint != Pool.from_texts(["a", "b", "d"]).fingerprint


def test_duplicates_collapse_and_are_reported() -> None:
    pool = Pool.from_texts(["a", "b", "a", "a"], metadata={"row": [0, 1, 2, 3]})
    assert len(pool) == 2
    assert pool.duplicates == 2
    assert pool.row_ids == [pool.ids[0], pool.ids[1], pool.ids[0], pool.ids[0]]
    assert pool.metadata["row"] == [0, 1]
    assert "2 duplicates collapsed" in repr(pool)


def test_duplicates_collapse_with_their_features() -> None:
    X = np.array([[1.0, 2.0], [3.0, 4.0], [1.0, 2.0]])
    pool = Pool.from_arrays(X)
    np.testing.assert_array_equal(pool.features, X[:2].astype(np.float32))


def test_given_ids_are_kept_as_text_and_content_may_repeat() -> None:
    pool = Pool.from_texts(["same", "same"], ids=[7, np.int64(8)])
    assert pool.ids == ["7", "8"]
    assert pool.index("8") == 1


def test_the_id_of_a_row_does_not_depend_on_the_width_of_its_numbers() -> None:
    X = RNG.integers(0, 16, (5, 3))
    assert Pool.from_arrays(X).ids == Pool.from_arrays(X.astype(np.float64)).ids


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame, pa.table])
def test_frames_of_every_library(make: Any) -> None:
    frame = make({"text": ["x y", "y z"], "key": [10, 20], "a": [1.0, 2.0], "b": [3, 4]})
    pool = Pool.from_frame(frame, text="text", id="key", features=["a", "b"], metadata=["a"])
    assert pool.ids == ["10", "20"]
    assert pool.contents[1] == Text("y z")
    assert pool.metadata_of(1) == {"a": 2.0}
    np.testing.assert_array_equal(pool.features, [[1, 3], [2, 4]])


def test_a_frame_with_a_column_of_vectors() -> None:
    frame = pd.DataFrame({"v": [[1.0, 2.0], [3.0, 4.0]]})
    np.testing.assert_array_equal(Pool.from_frame(frame, features="v").features, [[1, 2], [3, 4]])


def test_images_from_arrays_are_standardised_by_one_mean_and_one_spread() -> None:
    images = RNG.integers(0, 17, (20, 8, 8)).astype(float)
    pool = Pool.from_images(images)
    assert pool.features.shape == (20, 64)
    assert abs(pool.features.mean()) < 1e-5
    assert abs(pool.features.std() - 1) < 1e-5
    content = pool.contents[0]
    assert isinstance(content, Image)
    assert content.mime == "image/png"
    np.testing.assert_allclose(content.to_array() * 255, np.rint(images[0] / 16 * 255), atol=1e-3)


def test_new_images_are_encoded_as_those_of_the_pool() -> None:
    images = RNG.integers(0, 17, (20, 8, 8)).astype(float)
    pool = Pool.from_images(images)
    darker = images[:3] * 0.5
    np.testing.assert_array_equal(pool.encode(images[:3]), pool.features[:3])
    assert pool.encode(darker).mean() < pool.features[:3].mean()


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.uint16, np.int32])
def test_arrays_in_a_list_share_one_black_and_one_white(dtype: Any) -> None:
    flat = [np.full((4, 4), level, dtype) for level in (10, 50, 90)]
    pool = Pool.from_images(flat)
    assert len(pool) == 3
    assert [c.to_array()[0, 0] for c in pool.contents] == [0, pytest.approx(128 / 255), 1]  # type: ignore[union-attr]
    assert pool.ids == Pool.from_images(np.stack(flat)).ids
    np.testing.assert_array_equal(pool.encode(flat[1:2]), pool.features[1:2])
    np.testing.assert_array_equal(pool.encode(np.stack(flat[:2])), pool.features[:2])


def test_numbers_from_0_to_1_are_black_to_white_as_they_are() -> None:
    pool = Pool.from_images([np.full((4, 4), level) for level in (0.2, 0.4)])
    assert [c.to_array()[0, 0] for c in pool.contents] == pytest.approx([0.2, 0.4])  # type: ignore[union-attr]


def test_numbers_mean_in_new_images_what_they_mean_in_the_pool() -> None:
    pool = Pool.from_images(np.arange(0, 250, 10, dtype=np.uint8)[:, None, None].repeat(2, 2))
    one = pool.encode([np.array([[100.0, 100.0]])])
    np.testing.assert_array_equal(one, pool.features[10:11])
    both = pool.encode([np.array([[100.0, 100.0]]), np.array([[7.0, 240.0]])])
    np.testing.assert_array_equal(both[:1], one)
    digits = Pool.from_images(np.array([[[0.0, 16.0]], [[8.0, 4.0]]]))
    np.testing.assert_array_equal(
        digits.encode(np.array([[[8, 4]]], np.uint8)), digits.features[1:]
    )


def test_frames_of_arrays_share_a_range_too() -> None:
    pool = Pool.from_frame(
        pd.DataFrame({"i": [np.full((2, 2), 3.0), np.full((2, 2), 6.0)]}), image="i"
    )
    np.testing.assert_array_equal(pool.encode([np.full((2, 2), 6.0)]), pool.features[1:])


def test_a_brighter_image_does_not_change_the_ids_of_the_others() -> None:
    images = RNG.normal(size=(4, 3, 3))
    more = np.concatenate([images, np.full((1, 3, 3), 9.0)])
    assert Pool.from_images(more).ids[:4] == Pool.from_images(images).ids
    levels = RNG.integers(0, 255, (3, 4, 4))
    of_floats = Pool.from_images(list(levels.astype(float)[..., None]))
    assert of_floats.ids == Pool.from_images(levels.astype(np.uint8)).ids
    assert len(Pool.from_images([np.zeros((2, 3)), np.zeros((3, 2))])) == 2


def test_flat_images_of_numbers_are_no_division_by_zero() -> None:
    assert np.isfinite(Pool.from_images(np.full((1, 3, 3), 5.0)).features).all()
    assert np.isfinite(Pool.from_images(np.full((1, 3, 3), -5.0)).features).all()


def test_pillow_images_and_arrays_of_paths(tmp_path: Path) -> None:
    pixels = RNG.integers(0, 255, (5, 6, 3), dtype=np.uint8)
    image = Pillow.fromarray(pixels)
    assert Pool.from_images([image]).ids == Pool.from_images([pixels]).ids
    image.save(tmp_path / "a.png")
    assert len(Pool.from_images(np.array([str(tmp_path / "a.png")]))) == 1


def test_a_folder_of_images(tmp_path: Path) -> None:
    for name, mode in (("b.png", "L"), ("a.jpg", "RGB"), ("sub/c.webp", "RGB")):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        Pillow.fromarray(RNG.integers(0, 255, (40, 50), dtype=np.uint8)).convert(mode).save(
            tmp_path / name
        )
    (tmp_path / "notes.txt").write_text("no image")
    pool = Pool.from_images(tmp_path)
    assert pool.metadata["file"] == ["a.jpg", "b.png", "sub/c.webp"]
    assert [c.mime for c in pool.contents] == ["image/jpeg", "image/png", "image/webp"]  # type: ignore[union-attr]
    assert pool.features.shape == (3, 32 * 32 * 3)


def test_a_duplicate_leaves_the_other_files_on_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for k, level in enumerate((10, 20, 10)):
        Pillow.new("L", (64, 64), level).save(tmp_path / f"{k}.png")
    pool = Pool.from_images(tmp_path)
    assert isinstance(pool.contents, ImageFiles)
    assert pool.contents.names == pool.metadata["file"] == ["0.png", "1.png"]

    done: list[str] = []
    read, decode = ImageFiles._at, Image.to_array

    def reading(files: ImageFiles, index: int) -> Any:
        done.append("read")
        return read(files, index)

    def decoding(image: Image, *args: Any) -> Any:
        done.append("decode")
        return decode(image, *args)

    monkeypatch.setattr(ImageFiles, "_at", reading)
    monkeypatch.setattr(Image, "to_array", decoding)
    assert pool.features.shape == (2, 32 * 32)
    # The first is read once more, for its size: it is larger than a feature may be.
    assert done == ["read", "read", "decode", "read", "decode"]


def test_duplicate_rows_stay_rows() -> None:
    pool = Pool.from_arrays([[1.0], [1.0], [2.0]])
    assert repr(pool).startswith("Pool(2 rows")
    assert pool.contents[1] == Pool.from_arrays([[2.0]]).contents[0]


def test_texts_are_encoded_and_new_words_do_no_harm() -> None:
    pool = Pool.from_texts([f"word{i % 7} and word{i % 5} number{i}" for i in range(60)])
    assert pool.features.dtype == np.float32
    assert pool.features.shape[0] == 60
    assert pool.encode(["unheard of"]).shape == (1, pool.features.shape[1])
    np.testing.assert_allclose(
        pool.encode([pool.contents[0].text, pool.contents[1].text]),  # type: ignore[union-attr]
        pool.features[:2],
        atol=1e-5,
    )


def test_any_callable_encodes() -> None:
    pool = Pool.from_texts(["a", "bbb"], encoder=lambda texts: [[len(t), 1] for t in texts])
    np.testing.assert_array_equal(pool.features, [[1, 1], [3, 1]])
    np.testing.assert_array_equal(pool.encode("cc"), [[2, 1]])


def test_a_transformer_of_scikit_learn_gets_plain_texts() -> None:
    pool = Pool.from_texts(["a cat", "a dog", "the dog"], encoder=TfidfVectorizer())
    assert pool.features.shape == (3, 3)
    assert pool.features.dtype == np.float32
    np.testing.assert_array_equal(pool.encode(["a dog"]), pool.features[1:2])


@pytest.mark.parametrize("series", [pd.Series, pl.Series])
def test_a_series_is_a_list_of_texts(series: Any) -> None:
    pool = Pool.from_texts(series(["one two", "three four", "five six"]))
    assert pool.contents[2] == Text("five six")
    np.testing.assert_allclose(pool.encode(series(["three four"])), pool.features[1:2], atol=1e-5)
    assert pool.encode(t for t in ["one two"]).shape == pool.features[:1].shape
    assert pool.encode(series([], dtype=object if series is pd.Series else pl.String)).shape[0] == 0


def test_ready_features_come_as_frames_and_generators_too() -> None:
    pool = Pool.from_arrays(pd.DataFrame({"a": [1.0, 3.0], "b": [2.0, 4.0]}))
    for new in (pd.DataFrame({"a": [5.0], "b": [6.0]}), ([5.0, 6.0] for _ in range(1))):
        np.testing.assert_array_equal(pool.encode(new), [[5.0, 6.0]])


def test_memory_mapped_float16_stays_as_it_is(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", RNG.normal(size=(50, 4)).astype(np.float16))
    X = np.load(tmp_path / "x.npy", mmap_mode="r")
    pool = Pool.from_arrays(X)
    assert pool.features.dtype == np.float16
    assert isinstance(pool.features, np.memmap)


def test_metadata_is_made_plain() -> None:
    pool = Pool.from_texts(
        ["a", "b"], metadata={"n": np.array([1.5, np.nan]), "when": [pd.Timestamp("2024-01-01"), 1]}
    )
    assert pool.metadata == {"n": [1.5, None], "when": ["2024-01-01 00:00:00", 1]}


def test_metadata_of_any_kind_is_made_plain() -> None:
    pool = Pool.from_texts(
        ["a", "b"],
        metadata={
            "array": [np.array([1, 2]), [3, 4]],
            "gone": [pd.NA, pd.NaT],
            "when": np.array(["2024-01-01", "NaT"], dtype="datetime64[ns]"),
        },
    )
    assert pool.metadata == {
        "array": ["[1 2]", "[3, 4]"],
        "gone": [None, None],
        "when": ["2024-01-01T00:00:00.000000000", None],
    }
    json.dumps(pool.metadata)
    frame = pd.DataFrame({"m": [1, 2]}, index=[7, 8])
    assert Pool.from_texts(["a", "b"], metadata=frame).metadata == {"m": [1, 2]}  # type: ignore[arg-type]


TWICE = pd.DataFrame([["x", "y"]], columns=["a", "a"])
TWICE_ARROW = pa.table([["x"], ["y"]], names=["a", "a"])
TABLE = pd.DataFrame({"first": ["x"], "second": ["y"]})


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Pool.from_texts([]), "The pool is empty"),
        (lambda: Pool.from_arrays(np.empty((0, 3))), "The pool is empty"),
        (lambda: Pool.from_texts("one text"), "list of texts"),
        (lambda: Pool.from_texts(["a", None]), "Row 1 of texts holds None"),  # type: ignore[list-item]
        (lambda: Pool.from_texts(["a", "b"], ids=["x", "x"]), "'x' stands in row 0 and in row 1"),
        (lambda: Pool.from_texts(["a", "b"], ids=["x", None]), "id in row 1 is missing"),
        (lambda: Pool.from_texts(["a", "b"], ids=["x", pd.NA]), "id in row 1 is missing"),
        (lambda: Pool.from_texts(["a", "b"], ids=["x", "caf\udce9"]), "row 1, .*caf.*UTF-8.*anoth"),
        (lambda: Pool.from_texts(TABLE), "not DataFrame: .*from_frame"),
        (lambda: Pool.from_texts(pl.from_pandas(TABLE)), "from_frame"),
        (lambda: Pool.from_texts({"first": ["x"]}), "not dict: .*from_frame"),
        (lambda: Pool.from_images({"first": ["x"]}), "from_frame"),
        (lambda: Pool.from_arrays([[1.0]], content=TABLE), "from_frame"),
        (lambda: Pool.from_texts(["a b", "c d"]).encode(TABLE), "from_frame"),
        (lambda: Pool.from_texts(["a b", "c d"]).encode({"t": "a"}), "from_frame"),
        (lambda: Pool.from_texts(["a b", "c d"]).encode(None), "list of texts, not NoneType"),
        (lambda: Pool.from_texts(["a b", "c d"]).encode([None]), "Row 0 of texts holds None"),
        (lambda: Pool.from_arrays([[1.0]]).encode(None), "ready features"),
        (lambda: Pool.from_arrays([[1.0]]).encode([[1], [1, 2]]), "ready features"),
        (lambda: Pool.from_images(None), "list of images, not NoneType"),
        (lambda: Pool.from_images(np.zeros((0, 8, 8))), "The pool is empty"),
        (lambda: Pool.from_images(np.zeros((2, 0, 8))), r"row 0 has the shape \(0, 8\)"),
        (lambda: Pool.from_images(np.zeros((2, 1, 8, 8))), r"row 0 has the shape \(1, 8, 8\)"),
        (lambda: Pool.from_images(np.zeros((2, 8, 8), dtype=object)), "ndarray of object"),
        (lambda: Pool.from_images([[[1, 2], [3]]]), "Row 0 holds no image"),
        (lambda: Pool.from_images([np.eye(2), np.eye(2) * np.nan]), "row 1 holds NaN"),
        (lambda: Pool.from_frame(TWICE, text="a"), "more than one column 'a'"),
        (lambda: Pool.from_frame(TWICE_ARROW, text="a"), "more than one column 'a'"),
        (lambda: Pool.from_frame(TABLE, features=[]), "names no column"),
        (lambda: Pool.from_texts(["a"], metadata=["m"]), "metadata must be a mapping"),
        (lambda: Pool.from_texts(["a"], metadata={"m": 5}), "values of the metadata 'm', not int"),
        (lambda: Pool.from_texts(["a", "a"], features=np.eye(3)), "3 rows of features for 2"),
        (lambda: Pool.from_texts(["a"], encoder=TfidfVectorizer), r"give TfidfVectorizer\(\)"),
        (lambda: Pool.from_texts(["a", "b"], ids=["x"]), "1 ids for 2 items"),
        (lambda: Pool.from_texts(["a"], metadata={"m": [1, 2]}), "'m' has 2 values for 1"),
        (lambda: Pool.from_arrays([[1.0, 2.0], [3.0, np.nan]]), "nan in row 1 .*column 1"),
        (lambda: Pool.from_arrays([[np.inf]]), "inf in row 0"),
        (lambda: Pool.from_arrays([1, 2, 3]), "table of numbers"),
        (lambda: Pool.from_arrays([["a"]]), "X must be numbers"),
        (lambda: Pool.from_arrays([[1, 2], [3]]), "row 1 has 1 of them and row 0 has 2"),
        (lambda: Pool.from_arrays([[1, 2], [3, 4], 5]), "row 2 is one number and row 0 has 2"),
        (lambda: Pool.from_arrays([[[1], [2, 3]]]), r"table of numbers, \(n, d\)\. "),
        (lambda: Pool.from_arrays([[1.0]], content=["a", "b"]), "2 items and X has 1 rows"),
        (lambda: Pool.from_arrays(np.empty((2, 0)), content=["a", "b"]), "d ≥ 1"),
        (lambda: Pool.from_frame(pd.DataFrame({"a": [1]}), text="b"), "no column 'b'.*a"),
        (lambda: Pool.from_frame([1, 2], text="b"), "list is no data frame"),
        (lambda: Pool.from_frame(pd.DataFrame({"a": ["x"]})), "Name what to label"),
        (lambda: Pool.from_images("/no/such/folder"), "/no/such/folder is no folder"),
        (lambda: Pool.from_images([b"junk"]), "image in row 0 is not an image"),
        (lambda: Pool.from_images([object()]), "Row 0 holds no image but object"),
        (lambda: Pool.from_texts(["a", "b"], encoder=lambda t: [1]).features, "one row an item"),
        (lambda: Pool.from_texts(["a"], encoder=3), "encoder must be a function"),
        (lambda: Pool.from_texts(["", " "], ids=["1", "2"]).features, "no word to tell them apart"),
    ],
)
def test_bad_input_is_named_with_a_remedy(make: Any, says: str) -> None:
    with pytest.raises(PoolError, match=says):
        make()


def test_an_unreadable_image_is_named(tmp_path: Path) -> None:
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nnot really")
    with pytest.raises(PoolError, match=r"broken\.png is not an image"):
        Pool.from_images(tmp_path)


def test_an_unknown_item_is_named() -> None:
    with pytest.raises(UnknownItemError, match="no item 'z'"):
        Pool.from_texts(["a"]).index("z")


def test_features_to_predict_on_must_fit() -> None:
    pool = Pool.from_arrays([[1.0, 2.0], [3.0, 4.0]])
    with pytest.raises(PoolError, match="2 features an item, these rows have 3"):
        pool.encode(np.ones((1, 3)))
    with pytest.raises(PoolError, match="ready features"):
        pool.encode(["text"])
