"""What the map draws beside points: contours, what sizes and opacities follow, and sounds."""

from __future__ import annotations

import numpy as np
from conftest import SCREENSHOTS, Open
from page import LAYOUT, Notebook, wait_for
from playwright.sync_api import Locator
from samples import DIGITS
from test_look import LABEL, THEMES, audit
from test_map import Plot, saved

#: How many pixels of the canvas with the contours are not clear.
LINES = """
const lines = document.querySelector('.alw-map-contours');
const {data} = lines.getContext('2d').getImageData(0, 0, lines.width, lines.height);
return data.filter((value, i) => i % 4 === 3 && value > 0).length;
"""

#: Sounds of two kinds: low ones that fade, and high ones that come and go.
SOUNDS = """
import io, wave
import numpy as np
import alwidgets as al

def sound(kind, seconds=1.5, rate=8000):
    time = np.arange(int(seconds * rate)) / rate
    if kind:
        wave_form = np.sin(2 * np.pi * 880 * time) * np.sin(2 * np.pi * 2 * time) ** 2
    else:
        wave_form = np.sin(2 * np.pi * 220 * time) * np.exp(-2 * time)
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setparams((1, 2, rate, 0, "NONE", ""))
        out.writeframes((wave_form * 30_000).astype("<i2").tobytes())
    return al.Audio(file.getvalue())

rng = np.random.default_rng(0)
kinds = np.arange(40) % 2
features = (rng.normal(size=(40, 4)) + 6 * kinds[:, None]).astype("float32")
contents = [sound(kind) for kind in kinds]
contents[5] = al.Audio(b"RIFF\\x04\\x00\\x00\\x00WAVE")
pool = al.Pool.from_arrays(features, content=contents, ids=range(40))
session = al.Session(pool, al.Classification(["low", "high"]), store="sounds.db")
view = session.projector()
view
"""


def pictures(notebook: Notebook, plot: Plot, name: str) -> list[str]:
    """Take a picture in each theme; return what axe complains of."""
    complaints = []
    for theme, full_name in THEMES.items():
        notebook.theme(full_name)
        notebook.page.wait_for_timeout(700)
        notebook.screenshot(SCREENSHOTS / f"drawing-{name}-{theme}.png", plot.root)
        complaints += [f"{name} {theme}: {line}" for line in audit(notebook, "projector")]
    notebook.theme(THEMES["light"])
    notebook.page.wait_for_timeout(700)
    return complaints


def test_contours_sizes_and_opacities(opened: Open) -> None:
    notebook = opened(
        [DIGITS, LABEL, "view = session.projector(height=520)\nview"], size=(1100, 900)
    )
    notebook.run_all()
    plot = Plot(notebook)
    page, root = notebook.page, plot.root
    notebook.until(
        "return document.querySelector('[data-view=projector]').dataset.layout", seconds=LAYOUT
    )
    plot.settle()
    without = saved(plot)
    assert notebook.js(LINES) == 0
    root.focus()
    page.keyboard.press("d")
    notebook.until(f"return (() => {{{LINES}}})() > 500")
    assert np.abs(saved(plot) - without).max(axis=2).astype(bool).sum() > 500
    # Each class has a line, for most points have a prediction; by confidence all have four.
    lines = "return document.querySelector('.alw-map-contours').dataset.contours"
    complaints = pictures(notebook, plot, "contours-classes")
    assert notebook.js(lines) == "10"
    root.get_by_label("Colour by", exact=True).select_option("confidence")
    notebook.until(f"{lines} === '4'")
    complaints += pictures(notebook, plot, "contours")
    root.focus()
    page.keyboard.press("d")
    notebook.until(f"return (() => {{{LINES}}})() === 0")

    # Sizes and opacities follow a quantity, with a scale in the legend.
    root.get_by_label("Colour by", exact=True).select_option("prediction")
    plot.settle()
    root.focus()
    page.keyboard.press("o")
    root.get_by_label("Size by", exact=True).select_option("uncertainty")
    root.locator(".alw-map-scale[data-what=size]").wait_for()
    root.get_by_label("Opacity by", exact=True).select_option("score:margin")
    root.locator(".alw-map-scale[data-what=opacity]").wait_for()
    plot.settle()
    complaints += pictures(notebook, plot, "options")
    root.get_by_label("Opacity by", exact=True).press("Escape")
    root.get_by_label("Opacity by", exact=True).wait_for(state="hidden")
    complaints += pictures(notebook, plot, "sizes")
    root.focus()
    page.keyboard.press("o")
    for name in ("Size by", "Opacity by"):
        root.get_by_label(name, exact=True).select_option("")
    notebook.until("return document.querySelector('.alw-map-scales').hidden")
    page.keyboard.press("Escape")
    assert complaints == []
    assert notebook.errors == []


def test_sounds_play_on_a_press(opened: Open) -> None:
    notebook = opened([SOUNDS], size=(1000, 900))
    notebook.run_all()
    plot = Plot(notebook)
    page = notebook.page
    notebook.js(
        "window.played = [];"
        "const play = HTMLMediaElement.prototype.play;"
        "HTMLMediaElement.prototype.play = function () {"
        " played.push(this); return play.call(this); };"
    )

    def point(i: int) -> tuple[float, float]:
        coords = np.array(notebook.value("view._map.coords.tolist()"))
        low, high = coords.min(axis=0), coords.max(axis=0)
        aspect = plot.width / plot.height
        scale = min(2 * aspect / (high[0] - low[0]), 2 / (high[1] - low[1])) / 1.12
        x, y = (coords[i] - (low + high) / 2) * scale
        return plot.at(0.5 + x / 2 / aspect, 0.5 - y / 2)

    def rest_on(i: int, sign: Locator) -> None:
        # Until the sign is there: the notebook may scroll away under the pointer.
        def move() -> int:
            page.mouse.move(*plot.at(0.5, 0.95))
            page.mouse.move(*point(i))
            page.wait_for_timeout(1000)
            return sign.count()

        wait_for(move, what=f"what is told of {i}")

    # Until UMAP's layout is there points still move.
    notebook.until(
        "return document.querySelector('[data-view=projector]').dataset.layout === 'umap'",
        seconds=LAYOUT,
    )
    plot.root.focus()
    plot.settle()
    wave, time = (plot.root.locator(f".alw-map-{name}") for name in ("played path", "time"))
    complaints = []
    for theme, full_name in reversed(THEMES.items()):
        notebook.theme(full_name)
        page.wait_for_timeout(900)
        rest_on(3, wave)
        notebook.screenshot(SCREENSHOTS / f"drawing-sound-{theme}.png")
        complaints += audit(notebook, "projector")
    assert time.inner_text() == "1.5 s"
    assert notebook.js("return played.length") == 0
    page.keyboard.press("Space")
    notebook.until("return played.length === 1 && played[0].currentTime > 0.1")
    page.mouse.move(*plot.at(0.5, 0.95))
    notebook.until("return played[0].paused")

    rest_on(4, wave)
    page.mouse.down()
    page.mouse.up()
    notebook.until("return played.length === 2")
    assert notebook.wait_value("view.selection", lambda ids: ids == ["4"])

    rest_on(5, plot.root.get_by_text("This sound cannot be played: its file is damaged."))
    page.keyboard.press("Space")
    assert notebook.js("return played.length") == 2
    assert complaints == []
    assert notebook.errors == []
