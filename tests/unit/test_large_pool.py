"""Pools of files: read lazily, held leanly, and the same pools as those made in memory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Pillow

from alwidgets.content import Image, Text
from alwidgets.errors import PoolError
from alwidgets.ingest.ids import GivenIds, HashIds, given_ids
from alwidgets.ingest.parquet import ParquetTexts
from alwidgets.ingest.rowgroups import ParquetFiles
from alwidgets.pool import Pool

SMS = Path(__file__).parents[3] / "shared" / "data" / "sms"
RNG = np.random.default_rng(0)
TEXTS = [f"text number {i} naïve" for i in range(100)]
VECTORS = RNG.normal(size=(100, 3)).astype(np.float32)


pytestmark = pytest.mark.usefixtures("cache")


# Made before ids were held in arrays: by these, the stores that there are know their items.
TEXT_IDS = ["b51a5eef6321483f", "704923e1157c79b9", "2a763cd093d6f895"]
TEXT_PRINT = "340c7ea4ea555eab7d64776206b7a28c"
ROW_IDS = ["a35baf739d1e29c8", "e047b0f56af5de8c"]
ROW_PRINT = "d2f9cdf68172c0acd19763ca42d50f9b"
NAMED_PRINT = "43a6e571e9bc2cffeda1b4218cb9b0c9"


def a_table(**other: Any) -> pa.Table:
    columns = {
        "text": TEXTS,
        "key": list(range(100)),
        "vector": pa.array(list(VECTORS), pa.list_(pa.float32(), 3)),
        "x": VECTORS[:, 0],
        "y": np.arange(100),
        "sender": [None if i % 10 == 0 else f"s{i}" for i in range(100)],
    }
    return pa.table(columns | other)


@pytest.fixture
def parquet(tmp_path: Path) -> Path:
    pq.write_table(a_table(), tmp_path / "all.parquet", row_group_size=30)
    return tmp_path / "all.parquet"


# ---------------------------------------------------------------------- ids


def test_ids_and_fingerprints_are_those_of_stores_made_before() -> None:
    texts = Pool.from_texts(["win a prize", "see you at six", "win a prize", "naïve 😀"])
    assert texts.ids == TEXT_IDS
    assert texts.fingerprint == TEXT_PRINT
    rows = Pool.from_arrays(np.array([[0.5, 1.0], [2.0, -3.0]], dtype=np.float16))
    assert rows.ids == ROW_IDS
    assert rows.fingerprint == ROW_PRINT
    named = Pool.from_texts(["a", "b", "c"], ids=["z", "ä", 7])
    assert named.ids == ["z", "ä", "7"]
    assert named.fingerprint == NAMED_PRINT


@given(st.lists(st.integers(0, 20)))
def test_hash_ids_are_a_list_that_knows_its_places(numbers: list[int]) -> None:
    ids = HashIds(np.array(numbers, dtype=np.uint64) << np.uint64(59))
    check_ids(ids, [f"{(n << 59) % 2**64:016x}" for n in numbers])


@given(st.lists(st.text(st.characters(codec="utf-8"), min_size=1, max_size=2)))
def test_given_ids_are_a_list_that_knows_its_places(names: list[str]) -> None:
    check_ids(given_ids(names), names)


def check_ids(ids: HashIds | GivenIds, names: list[str]) -> None:
    assert ids == names
    assert list(ids) == names
    assert len(ids) == len(names)
    assert ids[1:] == names[1:]
    assert list(ids.in_order()) == sorted(names)
    assert [ids.find(name) for name in names] == [names.index(name) for name in names]
    check_places(ids, names)
    repeated = [i for i, name in enumerate(names) if name in names[:i]]
    assert ids.repeated().tolist() == repeated
    assert all(name in ids for name in names)
    some = np.arange(0, len(names), 2)
    assert ids.take(some) == names[::2]
    assert ids.find("nobody") is None


def check_places(ids: HashIds | GivenIds, names: list[str]) -> None:
    """Few, all of one form, and with others among them."""
    for asked in (names[:1], names, names[::-1] + names, [*names, "nobody", "AB" * 8, "0" * 16]):
        places = [names.index(name) if name in names else -1 for name in asked]
        assert ids.places(asked).tolist() == places
    assert ids.places([]).tolist() == []


def test_places_of_ids_of_which_some_are_not_there() -> None:
    ids = HashIds(np.array([5, 2**64 - 1, 7], dtype=np.uint64))
    names = [f"{n:016x}" for n in (7, 0, 2**64 - 1, 6, 5)]
    assert ids.places(names).tolist() == [2, -1, 1, -1, 0]
    # All of them 32 digits together, and none of them an id.
    assert ids.places([names[0][:8], names[0] + names[0][8:]]).tolist() == [-1, -1]
    assert ids.places([name.upper() for name in names]).tolist() == [2, -1, -1, -1, 0]


def test_another_writing_of_an_id_is_another_id() -> None:
    ids = HashIds(np.array([0xAB], dtype=np.uint64))
    assert ids[0] == "00000000000000ab"
    for other in ("00000000000000AB", "ab", " 00000000000000ab", "0x000000000000ab", 0xAB, None):
        assert other not in ids
    assert ids[-1] == ids[0]
    with pytest.raises(IndexError):
        ids[1]
    assert repr(HashIds(np.arange(5, dtype=np.uint64))).endswith("… 5 in all]")


def test_texts_of_one_hash_are_told_apart() -> None:
    class Colliding(GivenIds):
        _numbers = np.zeros(4, dtype=np.int64)

        def _number_of(self, name: str) -> np.generic:
            return np.int64(0)

    ids = Colliding(pa.array(["a", "b", "a", "c"], pa.large_string()))
    assert [ids.find(name) for name in "abcd"] == [0, 1, 3, None]
    assert ids.repeated().tolist() == [2]


def test_ids_go_where_lists_go() -> None:
    for pool in (Pool.from_texts(["a", "b"]), Pool.from_texts(["a", "b"], ids=[1, 2])):
        names = list(pool.ids)
        assert pd.Series(pool.ids).tolist() == names
        assert pl.Series(pool.ids).to_list() == names
        assert np.array(pool.ids).tolist() == names
        assert pd.DataFrame({"x": [1, 2]}, index=pool.ids).index.tolist() == names
        assert Pool.from_texts(["c", "d"], ids=pool.ids).ids == names
        assert pool.ids != [*names, "more"]
        assert sorted(pool.ids, reverse=True) == sorted(names, reverse=True)


def test_ids_of_any_iterable() -> None:
    for ids in (range(3), np.arange(3), (str(i) for i in range(3)), pa.array(["0", "1", "2"])):
        assert Pool.from_texts(["a", "b", "c"], ids=ids).ids == ["0", "1", "2"]


# ---------------------------------------------------------------------- features on disk


def test_features_of_a_file_stay_on_disk(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", VECTORS)
    pool = Pool.from_arrays(str(tmp_path / "x.npy"))
    assert isinstance(pool.features, np.memmap)
    assert pool.ids == Pool.from_arrays(VECTORS).ids
    assert Pool.from_texts(TEXTS, features=pool.features).features is not None
    framed = Pool.from_frame(a_table(), text="text", features=tmp_path / "x.npy")
    assert isinstance(framed.features, np.memmap)


def test_duplicate_rows_of_a_file_collapse_on_disk(tmp_path: Path, cache: Path) -> None:
    twice = np.concatenate([VECTORS, VECTORS[:5]]).astype(np.float16)
    np.save(tmp_path / "x.npy", twice)
    pool = Pool.from_arrays(tmp_path / "x.npy")
    assert pool.duplicates == 5
    assert isinstance(pool.features, np.memmap)
    np.testing.assert_array_equal(pool.features, twice[:100])
    assert pool.contents[99].text == Pool.from_arrays(twice).contents[99].text  # type: ignore[union-attr]
    assert list(cache.iterdir()) == []  # a file without a name, gone with the pool


def test_wide_numbers_of_a_file_become_float32_on_disk(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", VECTORS.astype(np.float64))
    pool = Pool.from_arrays(tmp_path / "x.npy")
    assert isinstance(pool.features, np.memmap)
    assert pool.features.dtype == np.float32
    np.testing.assert_array_equal(pool.features, VECTORS)


def test_a_bad_number_in_a_file_is_named(tmp_path: Path) -> None:
    X = np.zeros((70_000, 2), dtype=np.float16)
    X[:, 0] = np.arange(70_000) % 2048
    X[69_990, 1] = np.inf
    np.save(tmp_path / "x.npy", X)
    with pytest.raises(PoolError, match=r"inf in row 69990 \(item '69990'\), column 1"):
        Pool.from_arrays(tmp_path / "x.npy", ids=range(70_000))


def test_files_that_are_none_are_named(tmp_path: Path) -> None:
    (tmp_path / "junk.npy").write_bytes(b"junk")
    np.savez(tmp_path / "many.npz", a=VECTORS)
    with pytest.raises(PoolError, match=r"junk\.npy is no \.npy file"):
        Pool.from_arrays(tmp_path / "junk.npy")
    with pytest.raises(PoolError, match="several arrays"):
        Pool.from_arrays(tmp_path / "many.npz")
    with pytest.raises(PoolError, match=r"none\.npy cannot be read"):
        Pool.from_arrays(tmp_path / "none.npy")


# ---------------------------------------------------------------------- Parquet


def test_a_parquet_file_makes_the_pool_that_its_table_makes(parquet: Path) -> None:
    columns: dict[str, Any] = {"text": "text", "features": "vector", "metadata": ["sender", "y"]}
    lazy = Pool.from_parquet(parquet, **columns)
    whole = Pool.from_frame(pq.read_table(parquet), **columns)
    assert lazy.ids == whole.ids
    assert lazy.fingerprint == whole.fingerprint
    assert list(lazy.contents) == list(whole.contents)
    assert lazy.contents[41] == Text(TEXTS[41])
    assert lazy.contents[-1] == Text(TEXTS[-1])
    assert [lazy.metadata_of(i) for i in (0, 33, 99)] == [whole.metadata_of(i) for i in (0, 33, 99)]
    assert isinstance(lazy.features, np.memmap)
    np.testing.assert_array_equal(lazy.features, VECTORS)


def test_texts_of_a_parquet_file_are_encoded(parquet: Path) -> None:
    pool = Pool.from_parquet(parquet, text="text")
    np.testing.assert_allclose(pool.features, Pool.from_texts(TEXTS).features, atol=1e-5)
    lengths = Pool.from_parquet(parquet, text="text", encoder=lambda ts: [[len(t)] for t in ts])
    assert lengths.features[:, 0].tolist() == [len(t) for t in TEXTS]


def test_ids_and_numeric_columns_of_a_parquet_file(parquet: Path) -> None:
    pool = Pool.from_parquet(str(parquet), features=["x", "y"], id="key")
    assert pool.ids == [str(i) for i in range(100)]
    np.testing.assert_array_equal(pool.features, np.c_[VECTORS[:, 0], np.arange(100)])
    assert repr(pool) == "Pool(100 rows, 2 features)"
    one = Pool.from_parquet(parquet, features="y")
    assert one.features.shape == (100, 1)
    assert one.ids == Pool.from_arrays(np.arange(100)[:, None]).ids


def test_a_folder_or_a_pattern_of_parquet_files(tmp_path: Path) -> None:
    (tmp_path / "parts" / "deep").mkdir(parents=True)
    table = a_table()
    pq.write_table(table.slice(0, 40), tmp_path / "parts" / "a.parquet", row_group_size=7)
    pq.write_table(table.slice(40, 0), tmp_path / "parts" / "b.parquet")
    pq.write_table(table.slice(40), tmp_path / "parts" / "deep" / "c.parquet", row_group_size=7)
    for path in (tmp_path / "parts", f"{tmp_path}/parts/**/*.parquet"):
        pool = Pool.from_parquet(path, text="text", features="vector", id="key")
        assert [c.text for c in pool.contents] == TEXTS  # type: ignore[union-attr]
        assert [pool.contents[i].text for i in (99, 0, 40)] == [  # type: ignore[union-attr]
            TEXTS[i] for i in (99, 0, 40)
        ]
        np.testing.assert_array_equal(pool.features, VECTORS)
        assert pool.ids == [str(i) for i in range(100)]


def test_duplicate_texts_of_a_parquet_file_collapse_and_stay_on_disk(tmp_path: Path) -> None:
    doubled = pa.concat_tables([a_table(), a_table()])
    pq.write_table(doubled, tmp_path / "d.parquet", row_group_size=11)
    pool = Pool.from_parquet(
        tmp_path / "d.parquet", text="text", features="vector", metadata=["sender"]
    )
    assert (len(pool), pool.duplicates) == (100, 100)
    assert isinstance(pool.contents, ParquetTexts)
    assert [c.text for c in pool.contents] == TEXTS  # type: ignore[union-attr]
    assert list(pool.metadata["sender"]) == a_table()["sender"].to_pylist()
    assert pool.metadata["sender"][1:3] == ["s1", "s2"]
    np.testing.assert_array_equal(pool.features, VECTORS)
    part = pool.contents.take(np.array([7, 3]))
    assert [c.text for c in part.take(np.array([1]))] == [TEXTS[3]]  # type: ignore[union-attr]


def test_only_a_few_row_groups_are_held(parquet: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = ParquetFiles(parquet)
    assert [files.value("text", i) for i in (0, 35, 65, 95)] == [TEXTS[i] for i in (0, 35, 65, 95)]
    assert len(files._held) == 4
    monkeypatch.setattr("alwidgets.ingest.rowgroups.HELD_BYTES", 1)
    lean = ParquetFiles(parquet)
    assert [lean.value("text", i) for i in (0, 35, 36)] == [TEXTS[i] for i in (0, 35, 36)]
    assert list(lean._held) == [(1, "text")]


def test_features_are_written_once_and_again_when_the_file_has_changed(
    parquet: Path, cache: Path, tmp_path: Path
) -> None:
    Pool.from_parquet(parquet, features="vector")
    (written,) = cache.iterdir()
    before = written.stat().st_mtime_ns
    Pool.from_parquet(parquet, features="vector")
    assert written.stat().st_mtime_ns == before
    changed = a_table(vector=pa.array(list(VECTORS * 2), pa.list_(pa.float32())))
    pq.write_table(changed, parquet)
    pool = Pool.from_parquet(parquet, features="vector")
    np.testing.assert_array_equal(pool.features, VECTORS * 2)
    Pool.from_parquet(parquet, features="vector", cache=tmp_path / "mine")
    assert len(list((tmp_path / "mine").iterdir())) == 1


def test_vectors_of_half_precision_stay_so(tmp_path: Path) -> None:
    halves = pa.array(list(VECTORS.astype(np.float16)), pa.list_(pa.float16()))
    pq.write_table(pa.table({"v": halves}), tmp_path / "h.parquet")
    pool = Pool.from_parquet(tmp_path / "h.parquet", features="v")
    assert pool.features.dtype == np.float16
    np.testing.assert_array_equal(pool.features, VECTORS.astype(np.float16))


def test_images_of_a_parquet_file(tmp_path: Path) -> None:
    paths = []
    for k in range(3):
        Pillow.new("L", (4, 4), 40 * k).save(tmp_path / f"{k}.png")
        paths.append(tmp_path / f"{k}.png")
    data = [p.read_bytes() for p in paths]
    table = pa.table(
        {
            "bytes": data,
            "path": [str(p) for p in paths],
            "both": [{"bytes": d, "path": None} for d in data],
        }
    )
    pq.write_table(table, tmp_path / "i.parquet", row_group_size=2)
    whole = Pool.from_images(data)
    for name in ("bytes", "path", "both"):
        pool = Pool.from_parquet(tmp_path / "i.parquet", image=name)
        assert pool.ids == whole.ids
        assert isinstance(pool.contents[2], Image)
        np.testing.assert_array_equal(pool.features, whole.features)
        np.testing.assert_array_equal(pool.encode([data[1]]), pool.features[1:2])


def test_real_texts_read_from_parquet(tmp_path: Path) -> None:
    if not SMS.exists():
        pytest.skip(f"{SMS} is not there")
    frame = pd.read_csv(SMS / "train.csv")
    X = np.load(SMS / "minilm.npz")["train"]
    halves = pa.FixedSizeListArray.from_arrays(pa.array(X.ravel()), X.shape[1])
    table = pa.table({"text": frame["text"], "label": frame["label"], "vector": halves})
    pq.write_table(table, tmp_path / "sms.parquet", row_group_size=500)
    columns: dict[str, Any] = {"text": "text", "metadata": ["label"]}
    lazy = Pool.from_parquet(tmp_path / "sms.parquet", features="vector", **columns)
    whole = Pool.from_frame(frame, features=X, **columns)
    assert lazy.duplicates == whole.duplicates > 200
    assert lazy.ids == whole.ids
    assert lazy.row_ids == whole.row_ids
    assert lazy.fingerprint == whole.fingerprint
    assert list(lazy.contents) == list(whole.contents)
    assert list(lazy.metadata["label"]) == whole.metadata["label"]
    assert lazy.features.dtype == np.float16
    np.testing.assert_array_equal(lazy.features, whole.features)


def written(path: Path, **columns: Any) -> Path:
    pq.write_table(pa.table(columns), path / "bad.parquet")
    return path / "bad.parquet"


@pytest.mark.parametrize(
    ("columns", "options", "says"),
    [
        ({"t": ["a", None]}, {"text": "t"}, "Row 1 of column 't' holds None"),
        ({"t": [1, 2]}, {"text": "t"}, "Row 0 of column 't' holds 1, not a text"),
        ({"t": ["a"]}, {"text": "u"}, "bad.parquet has no column 'u'. It has: t"),
        ({"t": ["a"]}, {"text": "t", "metadata": ["m"]}, "no column 'm'"),
        ({"t": ["a"]}, {"text": "t", "id": "i"}, "no column 'i'"),
        ({"t": ["a", "b"], "i": ["x", None]}, {"text": "t", "id": "i"}, "id in row 1 is missing"),
        ({"t": ["a", "b"], "i": [1, 1]}, {"text": "t", "id": "i"}, "'1' stands in row 0 and in"),
        ({"t": ["a"]}, {}, "Name what to label"),
        ({"t": ["a"]}, {"text": "t", "image": "t"}, "not both"),
        ({"t": ["a"]}, {"features": []}, "names no column"),
        ({"t": ["a"]}, {"features": "t"}, "'t' holds something that is no number"),
        ({"t": pa.array([], pa.string())}, {"text": "t"}, "pool is empty"),
        ({"v": pa.array([], pa.list_(pa.float32()))}, {"features": "v"}, "pool is empty"),
        ({"v": [[1.0, 2.0], [3.0]]}, {"features": "v"}, "row 1 holds a vector of 1 .*first 2"),
        ({"v": [[1.0, 2.0], None]}, {"features": "v"}, "row 1 holds no vector"),
        ({"v": [None, [1.0, 2.0]]}, {"features": "v"}, "row 0 holds no vector"),
        ({"v": [[1.0, 2.0], [3.0, None]]}, {"features": "v"}, "Row 1 of column 'v' is missing"),
        ({"v": pa.array([[], []], pa.list_(pa.float32()))}, {"features": "v"}, "no number in row"),
        ({"x": [1.0, None]}, {"features": ["x"]}, "Row 1 of column 'x' is missing"),
        ({"x": [1.0, np.nan]}, {"features": ["x"]}, "nan in row 1"),
        ({"b": [b"junk"]}, {"image": "b"}, "Row 0 of column 'b' is not an image"),
        ({"b": [5]}, {"image": "b"}, "Row 0 of column 'b' holds no image but int"),
    ],
)
def test_bad_parquet_is_named_with_a_remedy(
    tmp_path: Path, cache: Path, columns: dict[str, Any], options: dict[str, Any], says: str
) -> None:
    with pytest.raises(PoolError, match=says):
        Pool.from_parquet(written(tmp_path, **columns), **options)
    assert not list(cache.glob("*.part"))


def test_paths_that_hold_no_parquet_are_named(tmp_path: Path) -> None:
    (tmp_path / "junk.parquet").write_bytes(b"junk")
    with pytest.raises(PoolError, match=r"junk\.parquet cannot be read as a Parquet file"):
        Pool.from_parquet(tmp_path / "junk.parquet", text="t")
    (tmp_path / "empty").mkdir()
    for path in (tmp_path / "empty", tmp_path / "none.parquet", f"{tmp_path}/x*.parquet"):
        with pytest.raises(PoolError, match="There is no Parquet file at"):
            Pool.from_parquet(path, text="t")
    with pytest.raises(PoolError, match="not DataFrame"):
        Pool.from_parquet(a_table().to_pandas(), text="text")


def test_a_cache_that_cannot_be_is_named(parquet: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(PoolError, match=r"cache folder .*cannot be written.*ALWIDGETS_CACHE"):
        Pool.from_parquet(parquet, features="vector", cache=tmp_path / "file")
