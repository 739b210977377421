"""What a card can show beside texts and images."""

from __future__ import annotations

import datetime
import io
import wave
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import alwidgets as al
from alwidgets.content import Content
from alwidgets.errors import PoolError


def wav(frames: int = 800) -> bytes:
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(2 * frames))
    return buffer.getvalue()


IMAGE = al.Image.from_array(np.zeros((2, 3), dtype=np.uint8))
EACH: list[Content] = [
    al.Text("a text"),
    IMAGE,
    al.Audio(wav()),
    al.Table({"age": 31}),
    al.Html("<b>a text</b>"),
    al.Pair("a", "b"),
    al.Fields({"title": "a"}),
]


@pytest.mark.parametrize("content", EACH, ids=lambda c: type(c).__name__)
def test_every_kind_says_what_it_is(content: Content) -> None:
    assert content == content
    assert 0 < len(content.preview()) <= 201
    assert content.to_bytes() == content.to_bytes()


def test_no_kind_is_taken_for_another() -> None:
    assert len({content.to_bytes() for content in EACH}) == len(EACH)
    assert al.Pair("a", "b").to_bytes() != al.Pair("b", "a").to_bytes()
    assert al.Pair("ab", "c").to_bytes() != al.Pair("a", "bc").to_bytes()
    assert al.Pair("a", "b").to_bytes() != al.Pair(al.Html("a"), "b").to_bytes()
    assert al.Fields({"a": "b"}).to_bytes() != al.Fields({"b": "a"}).to_bytes()
    assert al.Table({"a": 1}).to_bytes() != al.Table({"a": "1"}).to_bytes()


def test_identity_stays_from_run_to_run() -> None:
    """Ids of stored labels hang on these bytes."""
    assert al.Text("é").to_bytes() == "é".encode()
    row = b'[["a", 1], ["b", null]]'
    framed = b"\0\0\0\0\0\0\0\x05table\0\0\0\0\0\0\0\x17" + row
    assert al.Table({"a": 1, "b": None}).to_bytes() == framed
    assert al.Html("é").to_bytes() == b"\0\0\0\0\0\0\0\x04html\0\0\0\0\0\0\0\x02" + "é".encode()


def test_how_a_text_is_shown_does_not_change_what_it_is() -> None:
    plain = al.Text("x = 1")
    shown = al.Text("x = 1", language="python", marks=[(0, 1, 0.5)])
    assert plain.to_bytes() == shown.to_bytes()


@pytest.mark.parametrize("mark", [(0, 0, 1.0), (-1, 2, 1.0), (3, 2, 1.0), (0, 6, 1.0)])
def test_marks_lie_in_the_text(mark: tuple[int, int, float]) -> None:
    al.Text("caf😀 ", marks=[(3, 4, 1.0), (0, 5, -1.0)])
    with pytest.raises(PoolError, match="does not lie in a text of 5 characters"):
        al.Text("caf😀 ", marks=[mark])
    with pytest.raises(PoolError, match="finite"):
        al.Text("caf😀 ", marks=[(0, 1, float("nan"))])


def test_previews_are_one_line_and_short() -> None:
    assert al.Text("  a\n\tb  ").preview() == "a b"
    assert al.Text("word " * 1000).preview().endswith("word…")
    table = al.Table({"a": 1, "b": None, "c": datetime.date(2026, 3, 1)})
    assert table.preview() == "a: 1 · b: none · c: 2026-03-01"
    fields = al.Fields({"photo": IMAGE, "said": "hello"})
    assert fields.preview() == "photo: Image, 3 by 2 pixels · said: hello"


@pytest.mark.parametrize(
    ("markup", "words"),
    [
        ("<p>Dear <b>win</b>ner,</p><p>you won</p>", "Dear winner, you won"),
        ("a<br>b<script>c</script><style>d</style>e", "a b e"),
        ("&lt;b&gt; &amp; caf&eacute;", "<b> & café"),
        ("<table><tr><td>1</td><td>2</td></tr></table>", "1 2"),
        ("", ""),
    ],
)
def test_words_of_markup(markup: str, words: str) -> None:
    assert al.Html(markup).words() == words


# ------------------------------------------------------------------ sounds


@pytest.mark.parametrize(
    ("data", "mime"),
    [
        (wav(), "audio/wav"),
        (b"ID3\x04rest", "audio/mpeg"),
        (b"\xff\xfb\x90\x00", "audio/mpeg"),
        (b"\xff\xf3\x90\x00", "audio/mpeg"),
        (b"OggS\x00", "audio/ogg"),
        (b"fLaC\x00", "audio/flac"),
    ],
)
def test_sounds_are_known_by_their_first_bytes(data: bytes, mime: str, tmp_path: Path) -> None:
    assert al.Audio(data).mime == mime
    assert al.Audio(bytearray(data), mime).data == data
    path = tmp_path / "sound.bin"
    path.write_bytes(data)
    assert al.Audio.from_file(path) == al.Audio(data)


@pytest.mark.parametrize("data", [b"", b"RIFF", b"RIFF0000AVI ", b"\xff\xd8\xff\xe0", b"<svg>"])
def test_what_is_no_sound(data: bytes, tmp_path: Path) -> None:
    with pytest.raises(PoolError, match="WAV, MP3, OGG, FLAC"):
        al.Audio(data)
    path = tmp_path / "clip.wav"
    path.write_bytes(data)
    with pytest.raises(PoolError, match=r"clip\.wav cannot be played"):
        al.Audio.from_file(path)


def test_errors_of_sounds() -> None:
    with pytest.raises(PoolError, match=r"Audio\.from_file"):
        al.Audio("clip.wav")  # type: ignore[arg-type]
    with pytest.raises(PoolError, match="is audio/wav, not audio/ogg"):
        al.Audio(wav(), "audio/ogg")
    with pytest.raises(PoolError, match=r"none\.wav cannot be read"):
        al.Audio.from_file("none.wav")
    with pytest.raises(PoolError, match=r"none\.png cannot be read"):
        al.Image.from_file("none.png")


# ------------------------------------------------------------------ tables, pairs, fields


def test_values_of_a_table_become_plain() -> None:
    row = {
        "n": np.int64(3),
        "x": np.float32(0.5),
        "gone": float("nan"),
        "never": pd.NaT,
        "when": pd.Timestamp("2026-03-01"),
        7: True,
    }
    assert al.Table(row).values == {
        "n": 3,
        "x": 0.5,
        "gone": None,
        "never": None,
        "when": "2026-03-01 00:00:00",
        "7": True,
    }
    assert al.Table(row).to_bytes() == al.Table(al.Table(row).values).to_bytes()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: al.Table({}), "no field"),
        (lambda: al.Table([1]), r"needs a mapping, such as .* not list"),
        (lambda: al.Fields({}), "no field"),
        (lambda: al.Fields([1]), "mapping of names to contents, not list"),
        (lambda: al.Fields({"age": 31}), "The field 'age' holds int, which is no content"),
        (lambda: al.Fields({"a": None}), "The field 'a' holds NoneType"),
        (lambda: al.Pair("a", 3), "The right of a Pair holds int"),
        (lambda: al.Pair(al.Text, "b"), "The left of a Pair holds the class Text"),
        (lambda: al.Html(b"<b>"), "not bytes"),
        (lambda: al.Text(3), r"needs a str, not int. Use str\(\)"),
    ],
)
def test_errors_name_the_part_and_the_remedy(make: object, message: str) -> None:
    with pytest.raises(PoolError, match=message):
        make()  # type: ignore[operator]


# ------------------------------------------------------------------ pools of them


def test_a_pool_of_other_contents_needs_features() -> None:
    contents = [al.Table({"age": n}) for n in range(4)]
    pool = al.Pool.from_arrays(np.eye(4), content=contents)
    assert repr(pool) == "Pool(4 items, 4 features)"
    assert pool.contents[2] == contents[2]
    assert len(set(pool.ids)) == 4
    with pytest.raises(PoolError, match=r"No encoder makes features of Table.*features="):
        al.Pool(contents)
    with pytest.raises(PoolError, match=r"features="):
        al.Pool(contents, encoder=lambda values: np.zeros((len(values), 1)))
    with pytest.raises(PoolError, match="only texts and images"):
        contents[0].to_array()


def test_a_pool_of_mixed_contents() -> None:
    pool = al.Pool.from_arrays(np.eye(3), content=["a text", al.Audio(wav()), IMAGE])
    assert [type(c).__name__ for c in pool.contents] == ["Text", "Audio", "Image"]
    with pytest.raises(PoolError, match="Row 1 of content holds int"):
        al.Pool.from_arrays(np.eye(2), content=[al.Audio(wav()), 3])


FRAME = pd.DataFrame(
    {
        "title": ["a cat", "a dog", "a cat", "a bird"],
        "price": [3, 4, 3, 9],
        "weight": [0.5, np.nan, 0.5, 2.0],
    }
)


def as_fields(row: dict[str, object]) -> al.Fields:
    return al.Fields({"title": str(row["title"]), "facts": al.Table(row)})


@pytest.mark.parametrize("kind", ["pandas", "polars", "arrow", "parquet"])
def test_rows_are_shown_as_a_function_says(kind: str, tmp_path: Path) -> None:
    import polars as pl
    import pyarrow as pa

    table = pa.Table.from_pandas(FRAME, preserve_index=False)
    if kind == "parquet":
        FRAME.to_parquet(tmp_path / "rows.parquet")
        pool = al.Pool.from_parquet(tmp_path / "rows.parquet", text="title", render=as_fields)
    else:
        frames = {"pandas": FRAME, "polars": pl.from_arrow(table), "arrow": table}
        pool = al.Pool.from_frame(frames[kind], text="title", render=as_fields)
    plain = al.Pool.from_frame(FRAME, text="title")
    # Ids and digests are those of what is learnt from: a new look keeps the labels.
    assert pool.ids == plain.ids
    assert pool.fingerprint == plain.fingerprint
    assert pool.duplicates == 1
    np.testing.assert_array_equal(pool.features, plain.features)
    np.testing.assert_array_equal(pool.encode(["a cat"]), plain.encode(["a cat"]))
    assert pool.contents[1] == al.Fields(
        {"title": "a dog", "facts": al.Table({"title": "a dog", "price": 4, "weight": None})}
    )
    assert type(pool.contents[1].fields["facts"].values["price"]) is int  # type: ignore[union-attr]
    assert pool.contents[2].fields["title"] == al.Text("a bird")  # type: ignore[union-attr]
    assert repr(pool).startswith("Pool(3 texts")


def test_rows_are_rendered_when_they_are_shown() -> None:
    """A million rows are not a million objects."""
    calls: list[object] = []

    def render(row: dict[str, object]) -> al.Table:
        calls.append(row["x"])
        return al.Table(row)

    frame = pd.DataFrame({"x": np.arange(100_000.0), "y": 1.0})
    pool = al.Pool.from_frame(frame, features=["x", "y"], render=render)
    assert (len(pool), calls) == (100_000, [0.0])
    assert pool.contents[77_777] == al.Table({"x": 77_777.0, "y": 1.0})
    assert calls == [0.0, 77_777.0]


def test_a_row_that_cannot_be_rendered(caplog: pytest.LogCaptureFixture) -> None:
    def render(row: dict[str, object]) -> str:
        return {3: "three", 4: "four"}[row["price"]]  # type: ignore[index]

    pool = al.Pool.from_frame(FRAME, text="title", render=render)
    assert [type(c).__name__ for c in pool.contents] == ["Text"] * 3
    assert pool.contents[0] == al.Text("three")
    assert pool.contents[2].preview().startswith("render failed on row 3: KeyError: 9")
    assert "render failed on row 3" in caplog.text


@pytest.mark.parametrize(
    ("render", "message"),
    [
        (lambda row: row["colour"], "render failed on row 0: KeyError: 'colour'"),
        (lambda row: row, "What it returned holds dict, which is no content"),
        ("title", "render must be a function from a row"),
    ],
)
def test_a_function_that_fails_at_once(render: object, message: str) -> None:
    with pytest.raises(PoolError, match=message):
        al.Pool.from_frame(FRAME, text="title", render=render)  # type: ignore[arg-type]


def test_a_session_shows_and_labels_them() -> None:
    frame = pd.DataFrame({"x": np.arange(40.0), "y": np.arange(40) % 2})
    pool = al.Pool.from_frame(frame, features=["x", "y"], render=al.Table)
    session = al.Session(pool, al.Classification(["even", "odd"]), batch_size=5)
    for _ in range(12):
        (item,) = session.next()
        assert isinstance(item.content, al.Table)
        session.record(item.id, "odd" if item.content.values["y"] else "even")
    assert len(session.labels()) == 12
    session.close()
