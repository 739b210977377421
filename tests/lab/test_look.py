"""How the views look, light and dark, empty, full and broken: pictures, and axe's opinion."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from conftest import SCREENSHOTS, Open
from page import LAYOUT, Notebook
from samples import DIGITS

AXE = Path(__file__).parents[2] / "js" / "node_modules" / "axe-core" / "axe.min.js"
VIEWS = ("cards", "projector", "curves", "dashboard")
THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}

#: Labels given by a script, so that there is something to see.
LABEL = """
for _ in range(170):
    item = session.next()[0]
    session.record(item.id, int(digits.target[item.index]))
session.retrain()
"""

BROKEN = DIGITS.replace('store="digits.db")', 'store="broken.db", batch_size=10, learner=Broken())')
BROKEN = f"""
import alwidgets as al

class Broken(al.HeadEnsemble):
    def fit(self, X, y, *, classes=None):
        raise RuntimeError("the accelerator ran out of memory")
{BROKEN}"""

TEXT = """
import alwidgets as al

stories = [
    "Are we still on for lunch tomorrow? I booked a table at noon.",
    "WINNER!! Claim your free prize by texting WIN to 80086 before midnight.",
    "La réunion est déplacée à 15 h. 会議は午後3時からです。 الاجتماع في الثالثة",
    "word " * 400,
    "<b>not bold</b> <img src=x onerror=alert(1)>",
    "short",
]
pool = al.Pool.from_texts(stories, ids=[f"story-{i}" for i in range(len(stories))])
session = al.Session(pool, al.Classification(["ham, a normal message", "spam", "no idea at all"]))
"""


def audit(notebook: Notebook, view: str) -> list[str]:
    """Violations that axe calls serious or critical, in one view."""
    if not AXE.exists():
        raise FileNotFoundError(f"{AXE} is missing. Run `make js`.")
    if not notebook.page.evaluate("typeof window.axe === 'object'"):
        notebook.page.add_script_tag(path=str(AXE))
    found: list[dict[str, Any]] = notebook.page.evaluate(
        "async (selector) => (await axe.run(selector, {resultTypes: ['violations']})).violations",
        f'[data-view="{view}"]',
    )
    return [
        f"{view}: {v['id']} ({v['impact']}): {node['html'][:160]} | {node['failureSummary'][:300]}"
        for v in found
        if v["impact"] in ("serious", "critical")
        for node in v["nodes"]
    ]


def settle(notebook: Notebook, layout: str = "umap") -> None:
    """Wait until the map has this layout, or a later one, and nothing moves any more."""
    notebook.until(
        "const order = ['', 'pca', 'umap'];"
        "const now = document.querySelector('[data-view=projector]').dataset.layout;"
        "return order.indexOf(now) >= order.indexOf(value)",
        layout,
        seconds=LAYOUT,
    )
    notebook.until("return !document.querySelector('.alw-pulse.alw-on')")
    notebook.js("document.activeElement.blur(); panel.content.widgets[1]?.node.scrollIntoView()")
    notebook.page.wait_for_timeout(1_800)


def look(notebook: Notebook, name: str, views: tuple[str, ...] = VIEWS) -> list[str]:
    """Take a picture in each theme; return what axe complains of."""
    complaints = []
    for theme, full_name in THEMES.items():
        notebook.theme(full_name)
        notebook.page.wait_for_timeout(700)
        notebook.screenshot(SCREENSHOTS / f"{name}-{theme}.png")
        for view in views:
            complaints += [f"{theme}, {line}" for line in audit(notebook, view)]
    notebook.theme(THEMES["light"])
    return complaints


def test_dashboard(opened: Open) -> None:
    notebook = opened([DIGITS, "session"], size=(1500, 1250))
    notebook.run_all()
    notebook.cards.wait_card()
    for view in VIEWS:
        notebook.view(view).wait_for()
    settle(notebook)
    complaints = look(notebook, "dashboard-empty")
    plot, view = notebook.page.locator(".main-svg").first, notebook.view("curves")
    assert plot.bounding_box()["width"] > 0.95 * view.bounding_box()["width"]
    notebook.execute(LABEL)
    notebook.cards.wait_round(3)
    notebook.cards.focus()
    notebook.cards.press("Space")  # the card that was on the screen all the while
    while notebook.cards.root.locator(".alw-chip:visible").count() == 0:
        notebook.cards.press("Space")  # one from the audit shows no suggestion
    settle(notebook)
    complaints += look(notebook, "dashboard-full")
    notebook.screenshot(SCREENSHOTS / "dashboard.png", notebook.view("dashboard"))
    for by in ("label", "uncertainty", "outlier"):
        notebook.view("projector").get_by_label("Colour").first.select_option(by)
        notebook.until(
            "return document.querySelector('[data-view=projector]').dataset.colourBy === value", by
        )
        notebook.page.wait_for_timeout(500)
        notebook.screenshot(SCREENSHOTS / f"map-{by}.png", notebook.view("projector"))
    assert complaints == []
    assert notebook.errors == []
    assert notebook.outside == []


def test_error_is_shown(opened: Open) -> None:
    notebook = opened([BROKEN, "session"], size=(1500, 1250))
    notebook.run_all()
    notebook.cards.wait_card()
    notebook.cards.focus()
    for n in range(12):
        notebook.cards.press(str(n % 10))
    text = "the accelerator ran out of memory"
    notebook.cards.root.get_by_text(text, exact=False).first.wait_for()
    notebook.cards.wait_saved()
    settle(notebook, "pca")
    complaints = look(notebook, "dashboard-error")
    assert complaints == []
    # Labelling goes on.
    item = notebook.cards.item
    notebook.cards.focus()
    notebook.cards.press("5")
    assert notebook.cards.item not in ("", item)
    notebook.cards.wait_saved()
    assert notebook.value("len(session.labels())") == 13


def test_no_button_sticks_out_at_any_width(opened: Open) -> None:
    notebook = opened([TEXT, "view = session.cards()\nview"], size=(1000, 1000))
    notebook.run_all()
    notebook.cards.wait_card()
    notebook.cards.focus()
    notebook.cards.press("1")  # "last: ..." stands between the buttons then
    for width in range(300, 700, 20):
        notebook.execute(f"view.layout.width = '{width}px'")
        notebook.until("return Math.abs(root.getBoundingClientRect().width - value) < 1", width)
        out = notebook.js(
            "const edge = root.querySelector('.alw-actions').getBoundingClientRect().right;"
            "return [...root.querySelectorAll('.alw-actions *, .alw-card-head *')]"
            ".filter(e => e.getBoundingClientRect().right > edge + 1).map(e => e.className)"
        )
        assert out == [], f"at {width} px"


def test_narrow_cards(opened: Open) -> None:
    """Cards at 320 pixels, with texts, until nothing is left."""
    notebook = opened([TEXT, "view = session.cards()\nview"], size=(1000, 1000))
    notebook.run_all()
    notebook.cards.wait_card()
    notebook.execute(
        "view.layout.width = '320px'\nsession.queue(['story-3', 'story-4', 'story-2'])"
    )
    notebook.until("return root.getBoundingClientRect().width <= 320")
    complaints = []
    seen = set()
    notebook.cards.focus()
    while item := notebook.cards.item:
        seen.add(item)
        notebook.page.wait_for_timeout(300)
        notebook.screenshot(SCREENSHOTS / f"narrow-{item}.png", notebook.cards.root)
        wide = notebook.js("return root.scrollWidth - root.clientWidth")
        assert wide <= 0, f"{item} makes the cards {wide} px wider than they are"
        notebook.cards.press("1")
        notebook.page.wait_for_timeout(200)
        assert len(seen) <= 6
    assert len(seen) == 6
    notebook.until("return root.dataset.phase === 'exhausted'")
    complaints += look(notebook, "narrow-exhausted", ("cards",))
    assert complaints == []
    assert notebook.errors == []


WORDY = """
import alwidgets as al, numpy as np

x = np.random.default_rng(0).normal(size=(60, 4)).astype("float32")
pool = al.Pool.from_arrays(x, content=[f"Message {i}" for i in range(60)])
classes = ["some message from friends", "some message from nobody"]
session = al.Session(pool, al.Classification(classes))
for item in session.next(20):
    session.record(item.id, classes[int(x[item.index, 0] > 0)])
session.retrain()
view = session.cards()
view
"""

#: Which texts have no room, and of these which run over what is beside them.
ROOM = """
const found = {cut: [], over: []};
for (const name of ["why", "chip-name", "last"]) {
  const text = root.querySelector(`.alw-${name}`), range = document.createRange();
  range.selectNodeContents(text);
  const {right} = text.getBoundingClientRect();
  if (text.scrollWidth <= text.clientWidth && range.getBoundingClientRect().right <= right + 1)
    continue;
  const {overflowX, textOverflow} = getComputedStyle(text);
  found[overflowX === "hidden" && textOverflow === "ellipsis" ? "cut" : "over"].push(name);
}
return found;
"""


#: By how much what is in a card of fixed height is higher or lower than the card.
UNEVEN = """
const card = root.querySelector(".alw-card.alw-even"), {bottom} = card.getBoundingClientRect();
const row = root.querySelector(".alw-suggestion").getBoundingClientRect();
return Math.abs(bottom - 1 - row.bottom);
"""


def test_text_without_room_is_cut(opened: Open) -> None:
    """Suggestion, why and what was done last: whole in a wide cell, cut in a narrow one."""
    notebook = opened([WORDY], size=(1200, 1000))
    notebook.run_all()
    cards = notebook.cards
    cards.wait_card()
    cards.focus()
    for _ in range(8):  # one from the audit shows no suggestion
        cards.press("1")
        notebook.page.wait_for_timeout(400)
        if cards.root.locator(".alw-chip:visible").count():
            break
    notebook.until("return root.querySelector('.alw-last').textContent.includes('message')")
    assert notebook.js(ROOM) == {"cut": [], "over": []}
    assert notebook.js(UNEVEN) < 0.1
    notebook.screenshot(SCREENSHOTS / "text-with-room.png", cards.root)
    notebook.execute("view.layout.width = '320px'")
    notebook.until("return root.getBoundingClientRect().width <= 320")
    notebook.until("return root.querySelector('.alw-chip-name.alw-cut')")
    notebook.screenshot(SCREENSHOTS / "text-without-room.png", cards.root)
    found = notebook.js(ROOM)
    assert found["over"] == []
    assert notebook.js(UNEVEN) < 0.1
    assert {"chip-name", "last"} <= set(found["cut"])
    notebook.execute("view.layout.width = '720px'")
    notebook.until("return !root.querySelector('.alw-cut')")


def test_narrow_dashboard(opened: Open) -> None:
    """Nothing sticks out of a narrow dashboard."""
    notebook = opened([DIGITS, "session"], size=(460, 1900))
    notebook.run_all()
    notebook.cards.wait_card()
    settle(notebook, "pca")
    too_wide = {}
    for width in (320, 600):
        notebook.page.set_viewport_size({"width": width + 140, "height": 1900})
        notebook.page.wait_for_timeout(1_000)
        notebook.screenshot(SCREENSHOTS / f"dashboard-{width}.png")
        for view in VIEWS:
            by = notebook.view(view).evaluate("(e) => e.scrollWidth - e.clientWidth")
            if by > 1:
                too_wide[f"{view} at {width} px"] = f"{by} px too wide"
    assert too_wide == {}
