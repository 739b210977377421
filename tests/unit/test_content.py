"""Images of every mode, as files have them."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow

from alwidgets.content import Image
from alwidgets.errors import PoolError
from alwidgets.pixels import array_key


def encoded(image: Pillow.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def read(image: Pillow.Image, kind: str, **options: Any) -> Image:
    return Image.from_bytes(encoded(image, kind, **options), "it")


def as_shown(image: Image) -> np.ndarray:
    """What a browser decodes: 8 bits a pixel."""
    with Pillow.open(io.BytesIO(image.data)) as shown:
        assert shown.mode in ("L", "LA", "RGB", "RGBA")
        return np.asarray(shown)


RAMP = np.linspace(0, 65535, 256).round().astype(np.uint16).reshape(16, 16)


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_16_bit_levels_become_8_bit_ones(kind: str) -> None:
    image = read(Pillow.fromarray(RAMP), kind)
    assert image.mime == "image/png"
    np.testing.assert_array_equal(as_shown(image).ravel(), np.arange(256))
    np.testing.assert_allclose(image.to_array() * 255, np.arange(256).reshape(16, 16), atol=1e-3)


def test_16_bit_levels_of_big_endian_files() -> None:
    raw = RAMP.astype(">u2").tobytes()
    image = read(Pillow.frombytes("I;16B", (16, 16), raw), "TIFF")
    np.testing.assert_array_equal(as_shown(image).ravel(), np.arange(256))


def test_8_bit_levels_in_16_bits_stay_as_they_are() -> None:
    levels = np.arange(256, dtype=np.uint16).reshape(16, 16)
    np.testing.assert_array_equal(as_shown(read(Pillow.fromarray(levels), "PNG")), levels)


@pytest.mark.parametrize("dtype", [np.int32, np.float32])
def test_wide_numbers_go_from_the_smallest_to_the_largest(dtype: Any) -> None:
    numbers = np.array([[-1000, 0], [0, 1000]], dtype=dtype)
    image = read(Pillow.fromarray(numbers), "TIFF")
    np.testing.assert_array_equal(as_shown(image), [[0, 128], [128, 255]])


@pytest.mark.parametrize("value", [0.0, 0.5, -3.0, np.nan])
def test_flat_and_missing_floats_decode(value: float) -> None:
    image = read(Pillow.fromarray(np.full((2, 2), value, dtype=np.float32)), "TIFF")
    assert len(np.unique(image.to_array())) == 1


def test_missing_floats_are_black() -> None:
    numbers = np.array([[np.nan, 1.0], [2.0, 3.0]], dtype=np.float32)
    assert as_shown(read(Pillow.fromarray(numbers), "TIFF")).tolist() == [[0, 0], [128, 255]]


def test_a_phones_photo_keeps_its_bytes() -> None:
    photo = Pillow.new("RGB", (40, 30), "red")
    data = encoded(photo, "MPO", save_all=True, append_images=[photo])
    image = Image.from_bytes(data, "it")
    assert (image.mime, image.data, image.width, image.height) == ("image/jpeg", data, 40, 30)


def rotated(mode: str) -> tuple[Pillow.Image, Any]:
    exif = Pillow.Exif()
    exif[0x0112] = 6  # to be turned clockwise by a quarter
    levels = np.zeros((2, 3), np.uint8)
    levels[0, 0] = 255
    return Pillow.fromarray(levels).convert(mode), exif


def test_a_turned_image_is_re_encoded_upright() -> None:
    picture, exif = rotated("L")
    image = read(picture, "TIFF", exif=exif)
    assert (image.width, image.height) == (2, 3)
    np.testing.assert_array_equal(as_shown(image), [[0, 255], [0, 0], [0, 0]])
    np.testing.assert_array_equal(image.to_array(), [[0, 1], [0, 0], [0, 0]])


def test_a_turned_image_of_16_bits_too() -> None:
    _, exif = rotated("L")
    levels = np.zeros((2, 3), np.uint16)
    levels[0, 0] = 65535
    image = read(Pillow.fromarray(levels), "PNG", exif=exif)
    np.testing.assert_array_equal(as_shown(image), [[0, 255], [0, 0], [0, 0]])


def test_one_bit_a_pixel() -> None:
    image = read(Pillow.fromarray(np.array([[True, False]])), "PNG")
    np.testing.assert_array_equal(image.to_array(), [[1, 0]])


def test_palettes_give_their_colours() -> None:
    picture = Pillow.new("P", (2, 1))
    picture.putpalette([0, 0, 0, 255, 0, 0])
    picture.putpixel((1, 0), 1)
    for kind in ("PNG", "GIF"):
        np.testing.assert_array_equal(read(picture, kind).to_array(), [[[0, 0, 0], [1, 0, 0]]])
    clear = read(picture, "PNG", transparency=1)
    np.testing.assert_array_equal(clear.to_array(), [[[0, 0, 0], [1, 1, 1]]])


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_what_is_transparent_lies_on_white(mode: str) -> None:
    picture = Pillow.new("RGBA", (2, 1), (0, 0, 0, 0))
    picture.putpixel((1, 0), (0, 0, 0, 255))
    array = read(picture.convert(mode), "PNG").to_array()
    assert array.ndim == (3 if mode == "RGBA" else 2)
    np.testing.assert_array_equal(array.reshape(2, -1)[:, 0], [1, 0])


def test_printers_colours_become_screen_colours() -> None:
    white = Pillow.new("CMYK", (8, 8), (0, 0, 0, 0))
    for kind in ("JPEG", "TIFF"):
        np.testing.assert_allclose(read(white, kind).to_array(), 1.0, atol=0.02)


def test_a_grey_bitmap_stays_grey() -> None:
    assert read(Pillow.new("L", (2, 2), 7), "BMP").to_array().ndim == 2


def test_an_image_is_short_to_look_at_and_known_by_what_was_given() -> None:
    numbers = np.random.default_rng(0).normal(size=(9, 9))
    image = Image.from_array(numbers, (-3.0, 3.0))
    assert len(repr(image)) < 100
    assert image.to_bytes() == array_key(numbers) != array_key(numbers.T)
    assert Image.from_array(numbers, (-9.0, 9.0)).to_bytes() == image.to_bytes()


def test_what_does_not_decode_is_named() -> None:
    with pytest.raises(PoolError, match="The photo is not an image"):
        Image.from_bytes(b"GIF89a", "The photo")
