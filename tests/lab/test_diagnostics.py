"""The diagnostics in JupyterLab: by keyboard and mouse, light and dark; a cell is selected."""

from __future__ import annotations

from conftest import SCREENSHOTS, Open
from page import Notebook
from samples import DIGITS
from test_look import THEMES, audit

SESSION = DIGITS.replace(
    'store="digits.db"', "audit=0.4, batch_size=60, executor=al.InlineExecutor()"
).replace(
    "from_images(digits.images)",
    'from_images(digits.images, metadata={"scan": [k % 5 for k in range(len(digits.images))]})',
)
#: Labels given by a script. Of one scan the labels are bad, so that there is something to find.
LABEL = """
for _ in range(300):
    item = session.next()[0]
    digit = int(digits.target[item.index])
    session.record(item.id, (digit + 1) % 10 if item.index % 5 == 3 and digit > 4 else digit)
"""
SHOW = "view = session.diagnostics()\nview"
TABS = ("confusion", "classes", "slices", "calibration", "items", "rounds")


def picture(notebook: Notebook, name: str) -> list[str]:
    """A picture; what axe complains of."""
    notebook.page.wait_for_timeout(100)
    notebook.screenshot(SCREENSHOTS / f"diagnostics-{name}.png", notebook.view("diagnostics"))
    return [f"{name}: {line}" for line in audit(notebook, "diagnostics")]


def ready(notebook: Notebook) -> None:
    notebook.until(
        "const tab = document.querySelector('[data-view=diagnostics] [role=tabpanel]');"
        "return tab.ariaBusy === 'false'"
    )


def test_the_diagnostics(opened: Open) -> None:
    notebook = opened([SESSION, SHOW], size=(1000, 1000))
    notebook.run_all()
    view = notebook.view("diagnostics")
    view.get_by_text("There is no model yet").wait_for()
    complaints = picture(notebook, "no-model")
    cells = len(notebook.cells())

    # It follows the labels by itself.
    notebook.execute(LABEL)
    view.locator(".alw-diag-grid").wait_for()
    notebook.wait_value("session.current.n_audit", lambda n: n > 100)
    view.get_by_role("tab", name="Confusion").focus()

    # Every tab, by keyboard, light and dark.
    for theme, full_name in THEMES.items():
        notebook.theme(full_name)
        for name in TABS:
            view.locator("[role=tab][aria-selected=true]").focus()
            ready(notebook)
            assert view.get_attribute("data-tab") == name
            about = view.locator(".alw-diag-about").text_content()
            assert "audit labels, drawn at random" in (about or "")
            complaints += picture(notebook, f"{name}-{theme}")
            notebook.page.keyboard.press("ArrowRight")
    assert view.get_attribute("data-tab") == "confusion"

    # A mistake becomes the selection, by keyboard from the tabs on; no key reaches the notebook.
    ready(notebook)
    grid = view.get_by_role("grid")
    grid.focus()
    cell = notebook.js(
        "const wrong = [...document.querySelectorAll('td.alw-diag-wrong:not(.alw-diag-empty)')];"
        "return [wrong[0].dataset.row, wrong[0].dataset.column].map(Number)"
    )
    for key, times in (("ArrowDown", cell[0]), ("ArrowRight", cell[1])):
        for _ in range(times):
            notebook.page.keyboard.press(key)
    notebook.page.keyboard.press("Enter")
    view.get_by_text("the map shows where").wait_for()
    expected = (
        "sorted(session.hardest(None).query("
        f'\'answer == "{cell[0]}" and predicted == "{cell[1]}"\').index)'
    )
    assert notebook.value("sorted(session.selection.ids)") == notebook.value(expected) != []
    assert notebook.value("session.selection.source") == "diagnostics"
    for key in ("x", "a", "b", "d", "d", "0", "0"):
        notebook.page.keyboard.press(key)
    assert len(notebook.cells()) == cells
    notebook.page.keyboard.press("Escape")
    # The notebook has the keyboard again: the cell of the view, or itself.
    back = "e => document.activeElement === e.closest('.jp-Cell[tabindex=\"0\"], .jp-Notebook')"
    assert grid.evaluate(back)

    # By mouse: the cells of training labels, marked.
    view.get_by_role("button", name="Training labels").click()
    view.locator(".alw-diag-biased").wait_for()
    complaints += picture(notebook, "training")
    view.locator("td.alw-diag-right:not(.alw-diag-empty)").first.click()
    notebook.wait_value("len(session.selection)", lambda n: n > 5)

    # Narrow, nothing sticks out.
    notebook.page.set_viewport_size({"width": 480, "height": 1000})
    for name in TABS:
        view.get_by_role("tab", name=name.capitalize()).click()
        ready(notebook)
        notebook.screenshot(SCREENSHOTS / f"diagnostics-narrow-{name}.png", view)
        assert view.evaluate("e => e.scrollWidth - e.clientWidth") <= 1, name
    notebook.execute("session.close()")
    view.get_by_text("The session is closed").wait_for()
    assert complaints == []
    assert notebook.errors == []
