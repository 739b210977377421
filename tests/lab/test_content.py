"""Everything a card can show, in a real browser: how it looks, and what it must not do."""

from __future__ import annotations

import json
from pathlib import Path

from conftest import SCREENSHOTS, Open
from page import Notebook
from test_look import THEMES, audit

INJECTIONS = Path(__file__).parents[2] / "js" / "fixtures" / "injections.json"

CONTENTS = '''
import io, wave
import numpy as np
import alwidgets as al

rng = np.random.default_rng(0)
tone = (8000 * np.sin(np.arange(16000) * 0.3)).astype("<i2")
sound = io.BytesIO()
with wave.open(sound, "wb") as file:
    file.setnchannels(1); file.setsampwidth(2); file.setframerate(8000)
    file.writeframes(tone.tobytes())

y, x = np.mgrid[0:900, 0:1400]
tiles = (x // 50 + y // 50) % 2 * 200
levels = np.stack([x * 255 // 1400, y * 255 // 900, tiles], axis=2)
photo = al.Image.from_array(levels.astype("uint8"))
digit = al.Image.from_array(rng.integers(0, 255, (8, 8)).astype("uint8"))
CODE = """def win(prize: str, *, now: bool = True) -> str:
\\tif now:  # a tab, a comment that is long enough to reach far beyond the right edge of the card
\\t\\treturn f"{prize}!"
    return ""
"""
LETTER = """
<h2 style="color: #b3261e">Your account</h2>
<p>Dear <b>customer</b>, please <a href="https://bank.example/login">sign in</a> within
<span style="background-color: #fff3b0">24 hours</span>.</p>
<table border="1"><tr><th>Item</th><th>Price</th></tr>
<tr><td>Insurance</td><td>12.50</td></tr></table>
<img src="https://bank.example/pixel.png"><script>window.__ran = 1</script>
"""
facts = {
    "name": "A bicycle, hardly used, " + "with everything that belongs to it " * 4,
    "price": 12500.5, "year": 2024, "share": 1 / 3, "tiny": 1.5e-9, "used": True, "colour": None,
}
said = "👩‍🚀 WINNER!! Claim your 😀 free prize by texting WIN to 80086 before midnight."
words = {"WINNER!!": 0.9, "😀 free prize": 0.4, "80086": -0.3}
marks = [(said.index(w), said.index(w) + len(w), weight) for w, weight in words.items()]
contents = {
    "marks": al.Text(said, marks=marks),
    "arabic": al.Text("الاجتماع في الثالثة 🎉 في المكتب الكبير. " * 4),
    "long": al.Text("word " * 600),
    "code": al.Text(CODE, language="python"),
    "photo": photo,
    "digit": digit,
    "audio": al.Audio(sound.getvalue()),
    "table": al.Table(facts),
    "pair": al.Pair(photo, "A picture of a pattern, with a text beside it."),
    "pair-audio": al.Pair(al.Audio(sound.getvalue()), al.Table({"length": 2.0, "rate": 8000})),
    "html": al.Html(LETTER),
    "fields": al.Fields({
        "title": "A bicycle", "photo": photo, "facts": al.Table({"price": 120, "used": True}),
        "code": al.Text("x = 1", code=True), "letter": al.Html("<p>Dear <b>buyer</b></p>"),
    }),
}
pool = al.Pool.from_arrays(
    np.eye(len(contents)), content=list(contents.values()), ids=list(contents),
    metadata={"file": [f"{name}.dat" for name in contents]},
)
session = al.Session(pool, al.Classification(["good", "bad"]))
session.queue(list(contents))
'''
VIEW = "view = session.cards()\nview"


def show(notebook: Notebook, item: str) -> None:
    """Press keys until this item is on the card."""
    notebook.cards.focus()
    while notebook.cards.item != item:
        assert notebook.cards.item, f"{item} did not come"
        notebook.cards.press("1")
        notebook.page.wait_for_timeout(60)


def test_all_contents(opened: Open) -> None:
    notebook = opened([CONTENTS, VIEW], size=(900, 760))
    notebook.run_all()
    notebook.cards.wait_card()
    items = notebook.value("list(contents)")
    assert notebook.cards.item == items[0]
    marked = notebook.cards.root.locator("mark").all_text_contents()
    assert marked == notebook.value("list(words)")
    complaints = []
    for item in items:
        show(notebook, item)
        for theme, full_name in THEMES.items():
            notebook.theme(full_name)
            notebook.page.wait_for_timeout(400)
            notebook.screenshot(SCREENSHOTS / f"content-{item}-{theme}.png", notebook.cards.root)
            complaints += [f"{item}, {theme}, {line}" for line in audit(notebook, "cards")]
            wide = notebook.js("return root.scrollWidth - root.clientWidth")
            assert wide <= 0, f"{item} makes the cards {wide} px wider than they are"
    notebook.theme(THEMES["light"])
    assert complaints == []
    assert notebook.js("return window.__ran") is None
    assert notebook.errors == []
    assert notebook.outside == []


def test_narrow_contents(opened: Open) -> None:
    """At the width of a telephone nothing sticks out, and pairs stand one below the other."""
    notebook = opened([CONTENTS, VIEW], size=(900, 760))
    notebook.run_all()
    notebook.cards.wait_card()
    notebook.execute("view.layout.width = '360px'")
    notebook.until("return root.getBoundingClientRect().width <= 360")
    for item in notebook.value("list(contents)"):
        show(notebook, item)
        notebook.page.wait_for_timeout(150)
        notebook.screenshot(SCREENSHOTS / f"content-{item}-narrow.png", notebook.cards.root)
        assert notebook.js("return root.scrollWidth - root.clientWidth") <= 0, item
        if item.startswith("pair"):
            left, right = (
                notebook.cards.root.get_by_label(side, exact=True).bounding_box()
                for side in ("Left", "Right")
            )
            assert right["y"] >= left["y"] + left["height"] - 1


def test_a_player_has_the_keys_it_needs(opened: Open) -> None:
    notebook = opened([CONTENTS, VIEW], size=(900, 760))
    notebook.run_all()
    notebook.cards.wait_card()
    show(notebook, "audio")
    player = notebook.cards.root.locator("audio")
    notebook.until("return root.querySelector('audio').readyState >= 1")
    assert player.evaluate("p => [p.paused, p.duration, p.src.slice(0, 5)]") == [True, 2, "blob:"]
    player.focus()
    notebook.cards.press("Space")
    notebook.until("return !root.querySelector('audio').paused")
    notebook.cards.press("Space")
    notebook.until("return root.querySelector('audio').paused")
    assert notebook.cards.item == "audio"
    # The next card takes the focus back, and the sound stops with its card.
    notebook.cards.press("Space")
    notebook.js("window.player = root.querySelector('audio')")
    notebook.cards.press("1")
    notebook.until("return root.dataset.itemId === 'table'")
    assert notebook.js("return document.activeElement === root")
    notebook.until("return window.player.paused")
    notebook.cards.press("Space")
    notebook.until("return root.dataset.itemId === 'pair'")
    assert notebook.errors == []


SHAPES = """
import numpy as np
import alwidgets as al

sizes = {
    "wide": (2000, 150), "tall": (150, 2000), "large": (1400, 900), "photo": (200, 150),
    "digit": (28, 28), "strip": (120, 8), "column": (8, 120), "dot": (1, 1),
}
images = [al.Image.from_array(np.full((h, w), 90, dtype="uint8")) for w, h in sizes.values()]
pool = al.Pool.from_arrays(np.eye(len(sizes)), content=images, ids=list(sizes))
session = al.Session(pool, al.Classification(["good", "bad"]))
session.queue(list(sizes))
session.cards()
"""


def test_images_are_whole_and_in_the_middle(opened: Open) -> None:
    """Of any shape: no photograph is blown up, small ones are shown as the pixels they are."""
    notebook = opened([SHAPES], size=(900, 760))
    notebook.run_all()
    notebook.cards.wait_card()
    for item, (width, height) in notebook.value("sizes").items():
        show(notebook, item)
        notebook.until("return root.querySelector('.alw-stage img').naturalWidth > 0")
        box, image = notebook.js(
            "return ['.alw-stage', '.alw-stage img'].map((name) => {"
            "  const box = root.querySelector(name).getBoundingClientRect();"
            "  return [box.x, box.y, box.width, box.height]; })"
        )
        room = box[2] - 32, box[3] - 32
        fits = min(room[0] / width, room[1] / height)
        seen = min(image[2] / width, image[3] / height)
        small = max(width, height) <= 128
        assert abs(seen - (fits if small else min(fits, 1))) < 0.01, (item, image, box)
        for at in (0, 1):
            middle = image[at] + image[at + 2] / 2, box[at] + box[at + 2] / 2
            assert abs(middle[0] - middle[1]) < 1, (item, image, box)
            assert image[at + 2] <= room[at] + 1, (item, image, box)
        assert notebook.js("return root.querySelector('.alw-stage').tabIndex") == -1, item
        notebook.screenshot(SCREENSHOTS / f"image-{item}.png", notebook.cards.root)


def test_zoom_and_long_lines(opened: Open) -> None:
    notebook = opened([CONTENTS, VIEW], size=(900, 760))
    notebook.run_all()
    notebook.cards.wait_card()
    show(notebook, "code")
    notebook.until("return root.querySelector('pre').tabIndex === 0")
    code = notebook.cards.root.locator("pre")
    code.focus()
    for _ in range(5):
        notebook.cards.press("ArrowRight")
    notebook.until("return root.querySelector('pre').scrollLeft > 0")
    show(notebook, "photo")
    image = notebook.cards.root.locator("img")
    fit = image.bounding_box()
    # The middle of the right half: it is in the middle of what is seen then.
    image.click(position={"x": fit["width"] / 2 + 100, "y": fit["height"] / 2})
    notebook.until("return root.querySelector('.alw-stage').classList.contains('alw-zoomed')")
    assert image.bounding_box()["width"] == 1400
    left = "return root.querySelector('.alw-stage').scrollLeft"
    before = notebook.js(left)
    assert before > 400
    notebook.screenshot(SCREENSHOTS / "content-zoomed.png", notebook.cards.root)
    box = notebook.cards.root.locator(".alw-stage").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    mouse = notebook.page.mouse
    mouse.move(x, y)
    mouse.down()
    mouse.move(x + 120, y, steps=4)
    mouse.up()
    assert notebook.js(left) == before - 120
    assert image.bounding_box()["width"] == 1400
    mouse.click(x, y)
    notebook.until("return !root.querySelector('.alw-zoomed')")
    assert image.bounding_box() == fit
    assert audit(notebook, "cards") == []
    notebook.cards.press("1")
    notebook.until("return root.dataset.itemId === 'digit'")


LONG = """
import numpy as np
import alwidgets as al

pool = al.Pool.from_arrays(np.eye(2), content=["words " * 80, "b"], ids=["long", "short"])
session = al.Session(pool, al.Classification(["good", "bad"]))
session.queue(["long"])
view = session.cards()
"""


def test_what_is_longer_than_its_place_is_reached_by_tab(opened: Open) -> None:
    """In a view that comes with its card, too, and where a cell becomes narrow."""
    notebook = opened([LONG, "view", "view"], size=(900, 760))
    notebook.run_all()
    notebook.cards.wait_card()
    stages = "[...document.querySelectorAll('.alw-stage')]"
    notebook.until(f"return {stages}.length === 2")
    assert notebook.js(f"return {stages}.map((s) => s.tabIndex)") == [-1, -1]
    notebook.execute("view.layout.width = '360px'")
    notebook.until(f"return {stages}.every((s) => s.tabIndex === 0)")
    notebook.run_cell(1)  # the view is made anew
    notebook.until(f"return {stages}.length === 2 && {stages}.every((s) => s.tabIndex === 0)")
    notebook.cards.focus()
    notebook.cards.press("1")
    notebook.until(f"return {stages}.every((s) => s.tabIndex === -1)")


HOSTILE = """
import json
import numpy as np
import alwidgets as al

evil = json.loads({source!r})
name = evil[0].replace("/", "")
open(name + ".png", "wb").write(al.Image.from_array(np.zeros((4, 4), dtype="uint8")).data)
def every_way(e):
    code, facts = al.Text(e, language=e), al.Table({{e: e}})
    return al.Fields({{e: al.Html(e), "text": e, "code": code, "facts": facts}})

contents = [*map(every_way, evil), al.Image.from_file(name + ".png")]
pool = al.Pool.from_arrays(
    np.random.default_rng(0).normal(size=(len(contents), 3)), content=contents,
    ids=[f"{{i}} {{e}}" for i, e in enumerate([*evil, name])],
    metadata={{"file": [*evil, name], **{{e: ["a"] * len(contents) for e in evil[:12]}}}},
)
session = al.Session(pool, al.Classification(evil[:40]), store="hostile.db")
session.queue(list(pool.ids))
"""


def test_nothing_hostile_runs_or_loads(opened: Open) -> None:
    evil = json.loads(INJECTIONS.read_text(encoding="utf-8"))
    source = HOSTILE.format(source=json.dumps(evil))
    notebook = opened([source, VIEW, "session.projector()"], size=(900, 900))
    asked: list[str] = []
    notebook.page.on("request", lambda request: asked.append(request.url))
    notebook.page.on("dialog", lambda dialog: asked.append(f"dialog {dialog.message}"))
    notebook.run_all()
    notebook.cards.wait_card()
    seen = set()
    notebook.cards.focus()
    while item := notebook.cards.item:
        assert item not in seen
        seen.add(item)
        notebook.cards.root.locator(".alw-stage").hover()
        notebook.page.wait_for_timeout(40)
        assert notebook.js("return window.__ran ?? null") is None, item
        notebook.cards.press("1")
        notebook.page.wait_for_timeout(40)
        if not notebook.cards.item:  # more are on their way
            notebook.page.wait_for_timeout(1_500)
    assert len(seen) == len(evil) + 1
    notebook.cards.wait_saved()
    assert notebook.value("len(session.labels())") == len(evil) + 1
    assert [url for url in asked if "evil.example" in url or url.startswith("dialog")] == []
    assert notebook.outside == []
    assert notebook.errors == []
