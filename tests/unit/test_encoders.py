"""Encoders: batches, progress, and features that are kept on disk."""

from __future__ import annotations

import logging
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image as Pillow

from alwidgets.content import Content, Image, Text
from alwidgets.encoders import (
    CallableEncoder,
    FeatureCache,
    ModuleEncoder,
    PixelEncoder,
    SentenceEncoder,
    TfidfEncoder,
    encoder_for,
)
from alwidgets.encoders.cache import module_digest
from alwidgets.errors import PoolError
from alwidgets.ingest import progress_bar
from alwidgets.pool import Pool

RNG = np.random.default_rng(0)


pytestmark = pytest.mark.usefixtures("cache")


class Letters:
    """A real encoder of sentences, if a simple one: how often each letter stands in a text."""

    def __init__(self) -> None:
        self.calls: list[int] = []

    def encode(self, texts: list[str], batch_size: int = 32) -> np.ndarray:
        assert all(type(text) is str for text in texts)
        self.calls.append(len(texts))
        return np.array([[t.count(c) for c in "abcdefghij"] for t in texts], dtype=np.float64)

    @property
    def seen(self) -> int:
        return sum(self.calls)


class Steps(list[tuple[int, int]]):
    """What progress was told."""

    def __call__(self, done: int, total: int) -> None:
        self.append((done, total))


def texts(*values: str) -> list[Content]:
    return [Text(v) for v in values]


def some_images(n: int, size: tuple[int, int] = (6, 5), seed: int = 0) -> list[Content]:
    rng = np.random.default_rng(seed)
    return [Image.from_array(rng.integers(0, 255, (*size, 3), dtype=np.uint8)) for _ in range(n)]


# ---------------------------------------------------------------------- which one


def test_an_encoder_is_chosen_by_what_is_given() -> None:
    words, pictures = texts("a"), some_images(1)
    assert isinstance(encoder_for(words), TfidfEncoder)
    assert isinstance(encoder_for(pictures), PixelEncoder)
    assert isinstance(encoder_for(words, Letters()), SentenceEncoder)
    named = encoder_for(words, "all-MiniLM-L6-v2")
    assert isinstance(named, SentenceEncoder)
    assert named.model == "all-MiniLM-L6-v2"
    assert isinstance(encoder_for(words, len), CallableEncoder)
    assert isinstance(encoder_for(pictures, torch.nn.Flatten()), ModuleEncoder)
    mine = ModuleEncoder(torch.nn.Flatten())
    assert encoder_for(pictures, mine) is mine
    with pytest.raises(PoolError, match=r"the class Letters: give Letters\(\)"):
        encoder_for(words, Letters)


# ---------------------------------------------------------------------- functions


def test_a_function_gets_a_batch_at_a_time_and_progress_is_told() -> None:
    sizes: list[int] = []

    def function(batch: list[str]) -> list[list[int]]:
        sizes.append(len(batch))
        return [[len(text)] for text in batch]

    steps = Steps()
    rows = CallableEncoder(function, batch_size=4).fit_transform(texts(*"abcdefghij"), steps)
    assert rows.shape == (10, 1)
    assert sizes == [4, 4, 2]
    assert steps == [(4, 10), (8, 10), (10, 10)]
    CallableEncoder(function, batch_size=None).fit_transform(texts(*"abcdefghij"))
    assert sizes[3:] == [10]
    assert CallableEncoder(function).transform([]).shape[0] == 0


def test_few_images_are_decoded_at_once() -> None:
    class Counted(Sequence[Content]):
        """Images that are made when asked for; knows how many were before the function ran."""

        made = 0

        def __len__(self) -> int:
            return 10

        def __getitem__(self, index: Any) -> Any:
            if index >= 10:
                raise IndexError
            self.made += 1
            return some_images(1, seed=index)[0]

    images = Counted()
    ahead: list[int] = []

    def function(batch: list[np.ndarray]) -> list[np.ndarray]:
        ahead.append(images.made)
        return [image.ravel() for image in batch]

    rows = CallableEncoder(function, batch_size=3).fit_transform(images)
    assert rows.shape == (10, 90)
    assert ahead == [3, 6, 9, 10]


def test_a_function_that_needs_all_at_once_is_told_how() -> None:
    def words(batch: list[str]) -> np.ndarray:
        return np.ones((len(batch), len(set(batch))))

    with pytest.raises(PoolError, match=r"2 features an item up to item 1 and 1 from item 2.*None"):
        CallableEncoder(words, batch_size=2).fit_transform(texts("a", "b", "c"))


def test_a_bar_is_shown_only_for_what_takes_a_while(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_bar("Encoding") as progress:
        progress(1, 2)
        progress(2, 2)
    assert capsys.readouterr().err == ""


# ---------------------------------------------------------------------- sentences


def test_a_text_is_encoded_once_and_a_grown_pool_only_where_it_is_new() -> None:
    first = Letters()
    one = Pool.from_texts(["abba", "cab", "deaf"], encoder=SentenceEncoder(first, name="letters"))
    assert one.features[0, :3].tolist() == [2, 2, 0]
    assert first.seen == 3
    again = Letters()
    grown = Pool.from_texts(
        ["new bag", "cab", "abba", "deaf"], encoder=SentenceEncoder(again, name="letters")
    )
    np.testing.assert_array_equal(grown.features[[2, 1, 3]], one.features)
    assert again.seen == 1
    np.testing.assert_array_equal(grown.encode("abba"), one.features[:1])
    assert again.seen == 1


def test_models_of_other_names_know_nothing_of_each_other(cache: Path) -> None:
    models = {"one": Letters(), "two": Letters()}
    for name, model in models.items():
        SentenceEncoder(model, name=name).fit_transform(texts("a"))
        assert model.seen == 1
    assert sorted(p.name[:4] for p in cache.iterdir()) == ["one-", "two-"]


def test_without_a_name_or_a_cache_nothing_is_kept(cache: Path, tmp_path: Path) -> None:
    for encoder in (SentenceEncoder(Letters()), SentenceEncoder(Letters(), name="x", cache=False)):
        encoder.fit_transform(texts("a"))
        encoder.fit_transform(texts("a"))
        assert encoder.model.seen == 2
    assert not cache.exists()
    SentenceEncoder(Letters(), name="x", cache=tmp_path / "mine").fit_transform(texts("a"))
    assert len(list((tmp_path / "mine").iterdir())) == 1


def test_the_same_text_is_encoded_once_in_a_batch() -> None:
    model = Letters()
    rows = SentenceEncoder(model, name="x").fit_transform(texts("a", "b", "a"))
    assert model.seen == 2
    np.testing.assert_array_equal(rows[0], rows[2])


def test_sentences_come_in_batches_with_progress() -> None:
    model, steps = Letters(), Steps()
    contents = texts(*(f"a{i}" for i in range(20)))
    rows = SentenceEncoder(model, batch_size=1, name="x").fit_transform(contents, steps)
    assert rows.shape == (20, 10)
    assert model.calls == [8, 8, 4]
    assert steps == [(8, 20), (16, 20), (20, 20)]


def test_a_torch_model_is_known_by_its_numbers() -> None:
    class Bag(torch.nn.Module):
        def __init__(self, seed: int) -> None:
            super().__init__()
            self.weight = torch.nn.Parameter(
                torch.randn(5, generator=torch.Generator().manual_seed(seed))
            )
            self.seen = 0

        def encode(self, sentences: list[str], batch_size: int = 32) -> np.ndarray:
            self.seen += len(sentences)
            return np.outer([len(s) for s in sentences], self.weight.detach().numpy())

    same, twin, other = Bag(0), Bag(0), Bag(1)
    for model in (same, twin, other):
        SentenceEncoder(model).fit_transform(texts("a", "bb"))
    assert [m.seen for m in (same, twin, other)] == [2, 0, 2]


def test_a_model_that_cannot_be_had_says_what_to_do(tmp_path: Path) -> None:
    encoder = SentenceEncoder(str(tmp_path / "no-model"))
    with pytest.raises(PoolError, match=r"no-model.*(pip install|copy its folder here)"):
        encoder.fit_transform(texts("a", "b"))


def test_words_stand_in_for_a_model_only_where_that_was_asked(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    words = ["a cat", "a dog", "the dog", "cat and dog"]
    encoder = SentenceEncoder(str(tmp_path / "no-model"), fallback="tfidf")
    with caplog.at_level(logging.WARNING):
        pool = Pool.from_texts(words, encoder=encoder)
        assert pool.features.shape == Pool.from_texts(words).features.shape
    assert "TF-IDF is used instead" in caplog.text
    np.testing.assert_allclose(pool.encode(["a dog"]), pool.features[1:2], atol=1e-5)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: SentenceEncoder(3), "name of a model, or have encode"),
        (lambda: SentenceEncoder(Letters(), fallback="x"), "'tfidf' or None"),  # type: ignore[arg-type]
        (lambda: SentenceEncoder(Letters()).fit_transform(some_images(1)), "holds texts"),
        (lambda: TfidfEncoder().fit_transform(some_images(1)), "holds texts"),
        (lambda: PixelEncoder().fit_transform(texts("a")), "holds images"),
        (lambda: ModuleEncoder(torch.nn.Flatten()).fit_transform(texts("a")), "holds images"),
    ],
)
def test_bad_use_is_named(make: Any, says: str) -> None:
    with pytest.raises(PoolError, match=says):
        make()


# ---------------------------------------------------------------------- the cache


def encode_letters(contents: list[Content]) -> np.ndarray:
    return Letters().encode([c.text for c in contents]).astype(np.float32)  # type: ignore[union-attr]


FILL = """
import sys
import numpy as np
from alwidgets.content import Text
from alwidgets.encoders import FeatureCache

def lengths(contents):
    return np.array([[len(c.text), int(c.text)] for c in contents], dtype=np.float32)

first = int(sys.argv[1])
for i in range(first, first + 50):
    FeatureCache("shared", "x", sys.argv[2]).encode([Text(str(i)), Text(str(i + 1))], lengths)
"""


def test_two_processes_share_a_cache(tmp_path: Path) -> None:
    others = [
        subprocess.Popen([sys.executable, "-c", FILL, str(first), str(tmp_path)])
        for first in (0, 10)
    ]
    assert [process.wait(120) for process in others] == [0, 0]

    def never(_: list[Content]) -> np.ndarray:
        raise AssertionError("all of it is there")

    rows = FeatureCache("shared", "x", tmp_path).encode(texts(*map(str, range(61))), never)
    np.testing.assert_array_equal(rows[:, 1], np.arange(61))


def test_features_come_back_to_the_last_bit(tmp_path: Path) -> None:
    exact = RNG.normal(size=(3, 7)).astype(np.float32)
    cache = FeatureCache("a model/with: odd name", "x", tmp_path)
    first = cache.encode(texts("a", "b", "c"), lambda _: exact)
    np.testing.assert_array_equal(first, exact)
    again = FeatureCache("a model/with: odd name", "x", tmp_path)
    np.testing.assert_array_equal(again.encode(texts("c", "a"), lambda _: exact), exact[[2, 0]])
    assert FeatureCache("a model/with: odd name", "y", tmp_path).path != cache.path


def test_an_encoder_that_fails_leaves_nothing_half_done(tmp_path: Path) -> None:
    cache = FeatureCache("m", "x", tmp_path)
    with pytest.raises(ZeroDivisionError):
        cache.encode(texts("a", "b"), lambda _: 1 / 0)  # type: ignore[arg-type,return-value]
    assert cache.encode(texts("b"), encode_letters)[0, 1] == 1


def test_a_cache_that_is_broken_is_none(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    cache = FeatureCache("m", "x", tmp_path)
    cache.path.write_bytes(b"this is no database" * 100)
    with caplog.at_level(logging.WARNING):
        assert cache.encode(texts("abba"), encode_letters)[0, 0] == 2
    assert "Delete the file" in caplog.text


def test_a_cache_holds_what_it_says(tmp_path: Path) -> None:
    cache = FeatureCache("m", "x", tmp_path)
    cache.encode(texts(*(f"t{i}" for i in range(1200))), encode_letters)
    database = sqlite3.connect(cache.path)
    assert database.execute("SELECT count(*) FROM features").fetchone() == (1200,)
    database.close()


# ---------------------------------------------------------------------- modules


def test_images_reach_a_module_resized_and_standardised() -> None:
    white = Image.from_array(np.full((9, 4), 255, dtype=np.uint8))
    rows = ModuleEncoder(torch.nn.Flatten(), size=2).fit_transform([white])
    assert rows.dtype == np.float32
    by_colour = [(1 - 0.485) / 0.229, (1 - 0.456) / 0.224, (1 - 0.406) / 0.225]
    np.testing.assert_allclose(rows, [np.repeat(by_colour, 4)], rtol=1e-6)


def test_a_module_gives_what_it_gives_by_hand() -> None:
    torch.manual_seed(0)
    network = torch.nn.Sequential(
        torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4), torch.nn.Dropout(), torch.nn.ReLU()
    )
    images = some_images(7, (8, 8))
    steps = Steps()
    rows = ModuleEncoder(network, size=8, batch_size=3).fit_transform(images, steps)
    assert network.training  # that of yours is left alone
    assert steps == [(3, 7), (6, 7), (7, 7)]
    mean = torch.tensor([0.485, 0.456, 0.406])[:, None, None]
    spread = torch.tensor([0.229, 0.224, 0.225])[:, None, None]
    levels = [torch.from_numpy(i.to_array()).permute(2, 0, 1) for i in images]  # type: ignore[union-attr]
    by_hand = network.eval()((torch.stack(levels) - mean) / spread).flatten(1)
    np.testing.assert_allclose(rows, by_hand.detach().numpy(), atol=1e-5)


def test_training_a_module_later_does_not_change_what_features_mean() -> None:
    network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3 * 4 * 4, 5))
    images = np.stack([c.to_array() for c in some_images(6, (4, 4))])  # type: ignore[union-attr]
    pool = Pool.from_images(images, encoder=ModuleEncoder(network, size=4))
    before = pool.features.copy()
    torch.nn.init.zeros_(network[1].weight)
    np.testing.assert_allclose(pool.encode(images), before, atol=1e-6)


def test_a_transform_gets_an_upright_rgb_image() -> None:
    seen: list[tuple[str, tuple[int, int]]] = []

    def transform(image: Pillow.Image) -> torch.Tensor:
        seen.append((image.mode, image.size))
        return torch.tensor(np.asarray(image, dtype=np.float32)).permute(2, 0, 1)

    clear = Image.from_array(np.zeros((3, 2, 4), dtype=np.uint8))
    grey = Image.from_array(np.full((3, 2), 7, dtype=np.uint8))
    rows = ModuleEncoder(torch.nn.Flatten(), transform).fit_transform([clear, grey])
    assert seen == [("RGB", (2, 3))] * 2
    np.testing.assert_array_equal(rows, [[255.0] * 18, [7.0] * 18])


def test_a_module_encodes_an_image_once(cache: Path) -> None:
    class Watched(torch.nn.Module):
        seen = 0

        def __init__(self, seed: int) -> None:
            super().__init__()
            self.scale = torch.nn.Parameter(torch.tensor(float(seed)))

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            Watched.seen += len(images)
            return images.mean(dim=(2, 3)) * self.scale

    images = some_images(5)
    first = ModuleEncoder(Watched(2), size=4, cache=True).fit_transform(images[:4])
    again = ModuleEncoder(Watched(2), size=4, cache=True).fit_transform(images)
    np.testing.assert_array_equal(again[:4], first)
    assert Watched.seen == 5
    for encoder in (
        ModuleEncoder(Watched(3), size=4, cache=True),  # other parameters
        ModuleEncoder(Watched(2), size=5, cache=True),  # another size
        ModuleEncoder(Watched(2), size=4),  # no cache
    ):
        before = Watched.seen
        encoder.fit_transform(images)
        assert Watched.seen == before + 5
    assert len(list(cache.iterdir())) == 3


def test_the_digest_of_a_module_depends_on_every_number() -> None:
    torch.manual_seed(0)
    network = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.BatchNorm1d(3))
    twin = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.BatchNorm1d(3))
    assert module_digest(network) != module_digest(twin)
    twin.load_state_dict(network.state_dict())
    assert module_digest(network) == module_digest(twin)
    twin[1].num_batches_tracked += 1
    assert module_digest(network) != module_digest(twin)
    assert module_digest(network.to(torch.bfloat16)) != module_digest(twin)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (
            lambda: ModuleEncoder(torch.nn.LSTM(4, 2), lambda _: torch.ones(3, 4)),
            "must return a te",
        ),
        (lambda: ModuleEncoder(torch.nn.Flatten(), lambda _: "x"), "transform must return a ten"),  # type: ignore[arg-type,return-value]
        (lambda: ModuleEncoder(torch.nn.Flatten(), lambda _: 0, cache=True), "whose repr says"),  # type: ignore[arg-type,return-value]
    ],
)
def test_a_module_or_transform_that_gives_something_else_is_named(make: Any, says: str) -> None:
    with pytest.raises(PoolError, match=says):
        make().fit_transform(some_images(2))


@pytest.mark.gpu
def test_a_module_runs_on_the_gpu() -> None:
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    torch.manual_seed(0)
    network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3 * 8 * 8, 4))
    images = some_images(9)
    there = ModuleEncoder(network, size=8, device="cuda").fit_transform(images)
    here = ModuleEncoder(network, size=8, device="cpu").fit_transform(images)
    np.testing.assert_allclose(there, here, atol=1e-3)
