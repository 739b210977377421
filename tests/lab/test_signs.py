"""The stop sign above the curve: in a real browser, light and dark, and the offer taken."""

from __future__ import annotations

from conftest import SCREENSHOTS, Open
from page import Notebook
from playwright.sync_api import Locator
from samples import PACED
from test_look import THEMES, audit

#: Labels drawn at random first, then those of a strategy that asks for two classes of the ten.
LOSING = """
session.strategy = "random"
label(60)
session.strategy = lambda context: context.proba[:, :2].sum(dim=1)
label(60)
"""


def pictures(notebook: Notebook, view: Locator, name: str) -> list[str]:
    """A picture in each theme; what axe complains of."""
    found = []
    for theme, full_name in THEMES.items():
        notebook.theme(full_name)
        notebook.page.wait_for_timeout(700)
        notebook.screenshot(SCREENSHOTS / f"{name}-{theme}.png", view)
        found += audit(notebook, "curves")
    notebook.theme(THEMES["light"])
    return found


def test_the_sign_goes_up_and_says_what_more_labels_are_worth(opened: Open) -> None:
    notebook = opened([PACED, "session.curves()"], size=(1000, 900))
    notebook.run_all()
    view = notebook.view("curves")
    view.locator(".xtitle").wait_for()
    sign = view.locator(".alw-sign")
    assert sign.is_hidden()
    notebook.execute("label(240)")
    sign.get_by_text("Go on labelling.").wait_for()
    sign.get_by_text("at your pace").wait_for()
    complaints = pictures(notebook, view, "sign-go")
    notebook.execute("while not session.stop_sign.stop: label(20)")
    sign.get_by_text("Enough labels?").wait_for()
    assert sign.get_attribute("data-stop") == "true"
    complaints += pictures(notebook, view, "sign-stop")
    assert complaints == []
    assert notebook.errors == []


def test_a_losing_strategy_is_changed_with_the_keyboard(opened: Open) -> None:
    notebook = opened([PACED, "session.curves()"], size=(1000, 900))
    notebook.run_all()
    view = notebook.view("curves")
    view.locator(".xtitle").wait_for()
    notebook.execute(LOSING)
    button = view.get_by_role("button", name="Draw cards at random")
    button.wait_for()
    assert pictures(notebook, view, "sign-losing") == []
    cells = len(notebook.cells())
    button.focus()
    notebook.page.keyboard.press("Escape")
    assert button.evaluate("b => b !== document.activeElement")
    button.focus()
    notebook.page.keyboard.press("Enter")
    button.wait_for(state="hidden")
    assert notebook.value("session.strategy") == "random"
    assert notebook.value("session.switches[-1].strategy") == "random"
    assert len(notebook.cells()) == cells
    assert notebook.errors == []
