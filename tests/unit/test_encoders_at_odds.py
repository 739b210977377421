"""Encoders where something is in the way: caches, models, devices and contents that are odd."""

from __future__ import annotations

import logging
import sqlite3
import sys
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

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
from alwidgets.errors import PoolError
from alwidgets.pool import Pool

pytestmark = pytest.mark.usefixtures("cache")


class Lengths:
    """Encodes a text by its length, as UTF-8: as tokenisers do, it takes valid Unicode only."""

    def encode(self, texts: list[str], batch_size: int = 32) -> np.ndarray:
        return np.array([[len(t.encode()), 1.0] for t in texts])


def lengths(contents: list[Content]) -> np.ndarray[Any, np.dtype[np.float32]]:
    return np.array([[len(c.to_bytes()), 1.0] for c in contents], dtype=np.float32)


def images(n: int) -> list[Content]:
    rng = np.random.default_rng(0)
    return [Image.from_array(rng.integers(0, 255, (6, 5, 3), dtype=np.uint8)) for _ in range(n)]


# ---------------------------------------------------------------------- the cache


def test_a_cache_that_cannot_be_written_stops_nobody(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("no folder")
    encoder = SentenceEncoder(Lengths(), name="lengths", batch_size=1, cache=tmp_path / "file")
    texts = [f"text {i}" for i in range(40)]  # some five blocks, each read and written
    with caplog.at_level(logging.WARNING):
        features = Pool.from_texts(texts, encoder=encoder).features
    np.testing.assert_array_equal(features[:, 0], [len(t) for t in texts])
    assert len(caplog.records) == 1
    assert "could not be" in caplog.text
    assert "ALWIDGETS_CACHE" in caplog.text


def test_a_cache_that_can_only_be_read_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    FeatureCache("m", "x", tmp_path).encode([Text("abc")], lengths)
    plain = sqlite3.connect
    uri = f"file:{FeatureCache('m', 'x', tmp_path).path}?mode=ro"
    monkeypatch.setattr(sqlite3, "connect", lambda *_, **__: plain(uri, uri=True))
    asked: list[Content] = []

    def encode(contents: list[Content]) -> np.ndarray[Any, np.dtype[np.float32]]:
        asked.extend(contents)
        return lengths(contents)

    with caplog.at_level(logging.WARNING):
        found = FeatureCache("m", "x", tmp_path).encode([Text("abc"), Text("de")], encode)
    assert found[:, 0].tolist() == [3, 2]
    assert asked == [Text("de")]
    assert "could not be written" in caplog.text


@pytest.mark.parametrize("damage", ["substr(row, 1, 5)", "zeroblob(4)", "'text'"])
def test_damaged_rows_are_encoded_again(
    damage: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    contents: list[Content] = [Text("abc"), Text("de")]
    cache = FeatureCache("m", "x", tmp_path)
    cache.encode(contents[:1], lengths)
    database = sqlite3.connect(cache.path)
    with database:
        database.execute(f"UPDATE features SET row = {damage}")
    database.close()
    with caplog.at_level(logging.WARNING):
        assert cache.encode(contents, lengths)[:, 0].tolist() == [3, 2]
    assert "Delete the file" in caplog.text


# ---------------------------------------------------------------------- sentences


def test_texts_of_any_characters_reach_a_model() -> None:
    texts = ["", " ", "\U0001f600", "null\0byte", "a lone \ud800 surrogate", "x" * 10_000]
    features = Pool.from_texts(texts, encoder=Lengths()).features
    assert features[4, 0] == len("a lone ? surrogate")
    assert np.isfinite(features).all()


def test_a_model_may_be_given_by_its_path(tmp_path: Path) -> None:
    encoder = encoder_for([Text("a")], tmp_path)
    assert isinstance(encoder, SentenceEncoder)
    assert encoder.model == str(tmp_path)


class Hub:
    """Stands in for sentence-transformers and the hub of Hugging Face, which cannot be reached."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.loads: list[dict[str, Any]] = []
        self.heads = 0
        sentences = ModuleType("sentence_transformers")
        sentences.__spec__ = ModuleSpec("sentence_transformers", None)
        sentences.SentenceTransformer = self.load  # type: ignore[attr-defined]
        constants = ModuleType("huggingface_hub.constants")
        constants.ENDPOINT = "https://hub.invalid"  # type: ignore[attr-defined]
        utils = ModuleType("huggingface_hub.utils")
        utils.get_session = lambda: self  # type: ignore[attr-defined]
        hub = ModuleType("huggingface_hub")
        for module in (sentences, hub, constants, utils):
            monkeypatch.setitem(sys.modules, module.__name__, module)

    def load(self, model: str, **options: Any) -> Any:
        self.loads.append(options)
        raise KeyError("what a damaged file may raise")

    def head(self, url: str, timeout: float) -> None:
        self.heads += 1
        raise ConnectionError("no network")


def test_a_hub_out_of_reach_is_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    hub = Hub(monkeypatch)
    with pytest.raises(PoolError, match=r"could not be downloaded \(no network\)"):
        _ = Pool.from_texts(["a b", "c"], encoder="no/model").features
    assert hub.heads == 1
    assert [options.get("local_files_only") for options in hub.loads] == [True]
    encoder = SentenceEncoder("no/model", fallback="tfidf")
    assert len(Pool.from_texts(["a b", "c"], encoder=encoder).features) == 2


def test_a_folder_that_holds_no_model_is_not_looked_for_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = Hub(monkeypatch)
    with pytest.raises(PoolError, match=r"holds no model .*damaged file.*Copy it again"):
        _ = Pool.from_texts(["a b", "c"], encoder=tmp_path).features
    assert hub.heads == 0


# ---------------------------------------------------------------------- images


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_a_module_gets_numbers_of_its_own_width(dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    expected = ModuleEncoder(module, size=8, device="cpu").transform(images(3))
    found = ModuleEncoder(module.to(dtype), size=8, device="cpu").transform(images(3))
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=0.02)


class Fails(nn.Module):
    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        raise self.error


@pytest.mark.parametrize(
    ("encoder", "says"),
    [
        (ModuleEncoder(nn.Conv2d(1, 4, 3), size=8), r"does not take images of shape \(3, 8, 8\)"),
        (ModuleEncoder(Fails(KeyError("k"))), "KeyError.*Give transform"),
        (ModuleEncoder(Fails(torch.cuda.OutOfMemoryError("full"))), "lower batch_size"),
        (ModuleEncoder(nn.Flatten(), device="nope"), "device='nope' is no device"),
        (ModuleEncoder(nn.Flatten(), device="ipu"), "device='ipu' is not there"),
        (ModuleEncoder(nn.Flatten(), batch_size=0), "batch_size must be at least 1"),
        (CallableEncoder(len, batch_size=0), "batch_size must be at least 1"),
        (CallableEncoder(len, batch_size=-3), "batch_size must be at least 1"),
    ],
)
def test_what_is_wrong_with_images_is_named(encoder: Any, says: str) -> None:
    with pytest.raises(PoolError, match=says):
        encoder.fit_transform(images(2))


# ---------------------------------------------------------------------- words


def test_bad_use_of_words_is_named() -> None:
    with pytest.raises(PoolError, match="dimensions must be at least 1"):
        TfidfEncoder(dimensions=0)
    with pytest.raises(PoolError, match="call fit_transform"):
        TfidfEncoder().transform([Text("a")])
    with pytest.raises(PoolError, match="call fit_transform"):
        PixelEncoder().transform(images(1))
    with pytest.raises(PoolError, match="encodes images"):
        encoder_for([Text("a")], nn.Linear(2, 2))
