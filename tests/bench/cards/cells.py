"""The notebook that is measured: our cards, a bare key counter, and the peers."""

from __future__ import annotations

from dataclasses import dataclass

#: A pool of texts and one of photographs' size, and a learner that fits for as long as it is held.
#: Batches are large, so that a fit is under way when the benchmark says so, and at no other time;
#: the page holds enough cards for 200 presses with the kernel stopped.
SETUP = """
import io, pathlib, threading, time
import anywidget, ipywidgets, numpy as np, pandas as pd, torch, traitlets
from PIL import Image
import alwidgets as al

N, rng = 2000, np.random.default_rng(0)
words = "the quick model wants more labels from a patient person who reads each line".split()
texts = [f"Message {i}: " + " ".join(rng.choice(words, 45)) + "." for i in range(N)]
pathlib.Path("images").mkdir(exist_ok=True)
files = [f"images/{i}.jpg" for i in range(N)]
coarse = rng.integers(0, 255, size=(N, 12, 16, 3)).astype("uint8")
for small, file in zip(coarse, files):
    Image.fromarray(small).resize((320, 240)).save(file, quality=85)
features = rng.normal(size=(N, 16)).astype("float32")
ids = [f"i{i}" for i in range(N)]
text_pool = al.Pool.from_arrays(features, content=texts, ids=ids)
image_pool = al.Pool.from_frame(
    pd.DataFrame({"image": files, "id": ids}), image="image", id="id", features=features
)
held, turn = threading.Event(), threading.Lock()


class Slow(al.HeadEnsemble):
    def fit(self, X, y, *, classes=None):
        while held.is_set():
            with turn:
                torch.randn(300, 300) @ torch.randn(300, 300)
        return super().fit(X, y, classes=classes)


def session_of(pool, name):
    task = al.Classification(["ham", "spam"])
    return al.Session(
        pool, task, store=f"{name}.db", learner=Slow(), batch_size=1000, ready=400
    )


def train(on):
    held.set() if on else held.clear()
    for session in (text_session, image_session):
        if on:
            session.retrain(wait=False)
"""

OURS = """
{kind}_session = session_of({kind}_pool, "{kind}")
{kind}_session.cards()
"""

COUNTER = '''
import anywidget


class Counter(anywidget.AnyWidget):
    """Counts keys in the page, and does nothing else: as fast as it gets."""

    _esm = """
    export default { render({ el }) {
      const box = document.createElement("div");
      let n = 0;
      box.tabIndex = 0; box.dataset.peer = "counter"; box.dataset.lmSuppressShortcuts = "true";
      box.textContent = "0";
      box.addEventListener("keydown", (e) => { e.stopPropagation(); box.textContent = ++n; });
      el.append(box);
    } }"""

Counter()
'''

ASKER = '''
class Asker(anywidget.AnyWidget):
    """Asks the kernel for each next card, as most labelling widgets do."""

    kind = traitlets.Unicode().tag(sync=True)
    _esm = """
    export default { render({ model, el }) {
      const box = document.createElement("div");
      box.tabIndex = 0; box.dataset.peer = "asker-" + model.get("kind");
      box.dataset.lmSuppressShortcuts = "true"; box.textContent = "0";
      box.addEventListener("keydown", (e) => { e.stopPropagation(); model.send({ key: e.key }); });
      let url = null;
      model.on("msg:custom", (message, buffers) => {
        if (buffers.length === 0) { box.textContent = message.text; return; }
        if (url) URL.revokeObjectURL(url);
        url = URL.createObjectURL(new Blob([buffers[0]], { type: "image/jpeg" }));
        const image = document.createElement("img");
        image.src = url;
        box.replaceChildren(image);
      });
      el.append(box);
    } }"""

    def __init__(self, kind):
        super().__init__(kind=kind)
        self.answers = []
        self.on_msg(self._answer)

    def _answer(self, _, content, buffers):
        self.answers.append(content["key"])
        at = len(self.answers) % N
        if self.kind == "text":
            self.send({"text": texts[at]})
        else:
            self.send({}, [pathlib.Path(files[at]).read_bytes()])
'''

#: One HTML widget and a row of buttons, each click answered by the kernel, as superintendent does.
BUTTONS = """
import base64


class Buttons(ipywidgets.VBox):
    def __init__(self, kind):
        self.kind, self.answers = kind, []
        self.shown = ipywidgets.HTML(self._html(0))
        buttons = [ipywidgets.Button(description=name) for name in ("ham", "spam")]
        for button in buttons:
            button.on_click(self._answer)
        super().__init__([self.shown, ipywidgets.HBox(buttons)])
        self.add_class(f"peer-buttons-{kind}")

    def _html(self, at):
        if self.kind == "text":
            return f"<p>{texts[at]}</p>"
        data = base64.b64encode(pathlib.Path(files[at]).read_bytes()).decode()
        return f'<img src="data:image/jpeg;base64,{data}">'

    def _answer(self, button):
        self.answers.append(button.description)
        self.shown.value = self._html(len(self.answers) % N)
"""

IPYANNOTATIONS = '''
import ipyannotations.images, ipyannotations.text


def ipyannotations_of(kind):
    """Its own classifier, fed with the next item on each answer."""
    module, items = {
        "text": (ipyannotations.text, texts),
        "image": (ipyannotations.images, files),
    }[kind]
    widget, answers = module.ClassLabeller(options=["ham", "spam"], allow_freetext=False), []

    def answer(value):
        answers.append(value)
        widget.display(items[len(answers) % N])

    widget.on_submit(answer)
    widget.display(items[0])
    widget.add_class(f"peer-ipyannotations-{kind}")
    return widget
'''

SLEEP = "time.sleep(30)"


@dataclass(frozen=True)
class Contestant:
    """Somebody who shows the next card, and how one answers there."""

    name: str
    selector: str
    #: What is clicked; empty where keys are pressed.
    button: str = ""

    @property
    def ours(self) -> bool:
        return self.selector.startswith("[data-view")


COUNTS = Contestant("bare key counter", "[data-peer=counter]")


def contestants(kind: str, *, peers: bool, others: bool) -> list[Contestant]:
    """Who shows cards of a kind, text or image."""
    number = 0 if kind == "text" else 1
    found = [Contestant("alwidgets", f"[data-view=cards]|{number}")]
    if peers:
        found.append(Contestant("anywidget that asks", f"[data-peer=asker-{kind}]"))
        found.append(_clicked("buttons and HTML", f"buttons-{kind}"))
    if peers and others:
        found.append(_clicked("ipyannotations", f"ipyannotations-{kind}"))
    return found


def _clicked(name: str, which: str) -> Contestant:
    return Contestant(name, f".peer-{which}", f".peer-{which} button:text-is('ham')")


def cells(*, others: bool) -> list[str]:
    """The notebook's cells, each widget in one of its own."""
    found = [SETUP, OURS.format(kind="text"), COUNTER, OURS.format(kind="image"), ASKER, BUTTONS]
    makers = ["Asker", "Buttons"]
    if others:
        found.append(IPYANNOTATIONS)
        makers.append("ipyannotations_of")
    found += [f"{maker}({kind!r})" for maker in makers for kind in ("text", "image")]
    return found
