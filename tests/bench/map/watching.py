"""What is measured of a widget that shows points, from the outside and alike for everybody."""

from __future__ import annotations

import json
import math
import time
from dataclasses import dataclass, field

from contestants import SETUP, Contestant
from harness import Lab
from page import Notebook
from playwright.sync_api import Error

#: A frame counts that draws at least so many of the points.
SHARE = 0.02
PATIENCE = 60.0

#: What is measured: in words, and in which unit.
NAMES = {
    "first": ("first painted frame", "s"),
    "frames": ("frames drawn a second", "/s"),
    "lasso": ("lasso to ids in the kernel", "s"),
    "saved": ("file grows, as saved", "KB"),
    "state": ("file grows, with widget state", "KB"),
    "points": ("of these not the widget's code", "KB"),
    "wire": ("bytes a point to recolour", "B"),
    "repaints": ("full drawings to recolour", ""),
}

Figure = tuple[float | None, str]


@dataclass
class Figures:
    """Of one widget: a value, None where there is none, and how much it varies or why not."""

    first: Figure = (None, "")
    frames: Figure = (None, "")
    lasso: Figure = (None, "")
    saved: Figure = (None, "")
    state: Figure = (None, "")
    points: Figure = (None, "")
    wire: Figure = (None, "")
    repaints: Figure = (None, "")
    problems: list[str] = field(default_factory=list)


#: Notes every frame in which many points are drawn, by WebGL or WebGPU. A frame has been drawn
#: when the graphics card is through with it, which in software is long after it was asked to.
WATCH = """
const least = value, drawn = window.drawn = {frames: [], points: 0, first: null, gl: null};
let frame = 0, last = -1;
const count = () => { frame++; requestAnimationFrame(count); };
requestAnimationFrame(count);
const noted = (points, finish) => {
  if (points < least) return;
  drawn.points += points;
  if (frame !== last) { last = frame; drawn.frames.push(performance.now()); }
  if (drawn.first !== null) return;
  drawn.first = "asked";
  finish().then(() => { drawn.first = Date.now(); });
};
drawn.finish = async () => {};
const finishGl = (gl) => async () => {
  await new Promise((go) => setTimeout(go));
  gl.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, new Uint8Array(4));
};
for (const Kind of [window.WebGLRenderingContext, window.WebGL2RenderingContext]) {
  for (const [name, at] of [["drawArrays", 2], ["drawElements", 1]]) {
    const plain = Kind.prototype[name];
    Kind.prototype[name] = function (...given) {
      plain.apply(this, given);
      if (given[at] < least) return;
      drawn.finish = finishGl(this);
      noted(given[at], drawn.finish);
    };
  }
  const instanced = Kind.prototype.drawArraysInstanced;
  if (instanced) Kind.prototype.drawArraysInstanced = function (...given) {
    instanced.apply(this, given);
    if (given[2] * given[3] < least) return;
    drawn.finish = finishGl(this);
    noted(given[2] * given[3], drawn.finish);
  };
}
const angle = WebGLRenderingContext.prototype.getExtension;
WebGLRenderingContext.prototype.getExtension = function (name) {
  const found = angle.call(this, name), gl = this;
  if (name.toLowerCase() === "angle_instanced_arrays" && found && !found.watched) {
    const plain = found.drawArraysInstancedANGLE.bind(found);
    found.drawArraysInstancedANGLE = (...given) => {
      plain(...given);
      if (given[2] * given[3] < least) return;
      drawn.finish = finishGl(gl);
      noted(given[2] * given[3], drawn.finish);
    };
    found.watched = true;
  }
  return found;
};
if (window.GPURenderPassEncoder) {
  let pending = 0;
  for (const name of ["draw", "drawIndexed"]) {
    const plain = GPURenderPassEncoder.prototype[name];
    GPURenderPassEncoder.prototype[name] = function (...given) {
      plain.apply(this, given);
      pending += given[0] * (given[1] ?? 1);
    };
  }
  // Points that a shader works out by itself, or whose number it alone knows: all that are due.
  for (const [Kind, name] of [
    [GPURenderPassEncoder, "drawIndirect"],
    [GPURenderPassEncoder, "drawIndexedIndirect"],
    [GPUComputePassEncoder, "dispatchWorkgroups"],
  ]) {
    const plain = Kind.prototype[name];
    Kind.prototype[name] = function (...given) {
      plain.apply(this, given);
      pending += least;
    };
  }
  const submit = GPUQueue.prototype.submit;
  GPUQueue.prototype.submit = function (...given) {
    submit.apply(this, given);
    const points = pending;
    pending = 0;
    if (points < least) return;
    drawn.finish = () => this.onSubmittedWorkDone();
    noted(points, drawn.finish);
  };
}
"""

RUN = """
panel.content.activeCellIndex = value;
window.ran = false;
window.begun = Date.now();
app.commands.execute("notebook:run-cell").then(() => { window.ran = true; });
"""
MOUSE_UP = """
window.released = null;
const note = () => { window.released = Date.now(); };
window.addEventListener("mouseup", note, {capture: true, once: true});
"""


def watch(lab: Lab, who: Contestant, n: int, seconds: float) -> Figures:
    """Everything that is measured of one widget with so many points."""
    found = Figures()
    with lab.open([SETUP.format(n=n) + who.setup, who.show], name="map", size=(1300, 900)) as page:
        empty = page.save()
        page.run_cell(0)
        page.save()
        page.js(WATCH, max(1000, int(SHARE * n)))
        try:
            found.first = first_frame(page)
        except Error as error:
            found.problems.append(f"it drew nothing: {str(error).splitlines()[0]}")
            return found
        page.wait_ran()
        time.sleep(3)  # whatever else it does at first
        for what in ("frames", "lasso", "recolour"):
            try:
                if what == "frames":
                    found.frames = frames(page, who, seconds)
                elif what == "lasso" and not who.missing:
                    found.lasso = lasso(page, who)
                elif what == "recolour" and who.recolour:
                    found.wire, found.repaints = recolour(page, who, n)
            except (Error, TimeoutError) as error:
                found.problems.append(f"{what}: {str(error).splitlines()[0]}")
        if who.missing:
            found.problems.append(who.missing)
        found.saved, found.state, found.points = growth(page, empty)
    return found


def first_frame(page: Notebook) -> Figure:
    """From running the cell to the first frame with many points, drawn to the end."""
    page.js(RUN, 1)
    page.until("return Number(window.drawn.first) > 0", seconds=PATIENCE)
    return page.js("return (window.drawn.first - window.begun) / 1000"), ""


def middle(page: Notebook, who: Contestant) -> tuple[float, float, float, float]:
    """Centre and size of the plot on the page."""
    page.js("document.querySelector(value).scrollIntoView({block: 'center'})", who.plot)
    time.sleep(1)
    box = page.page.locator(who.plot).first.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, box["width"], box["height"]


def frames(page: Notebook, who: Contestant, seconds: float) -> Figure:
    """Frames drawn while the view is dragged in circles, and how many points each had."""
    x, y, _, _ = middle(page, who)
    mouse = page.page.mouse
    mouse.move(x, y)
    mouse.down()
    mouse.move(x + 60, y, steps=3)
    page.js(
        "await drawn.finish(); drawn.frames = []; drawn.points = 0; drawn.from = performance.now()"
    )
    begin, turn = time.monotonic(), 0
    while time.monotonic() - begin < seconds:
        turn += 1
        mouse.move(x + 60 * math.cos(turn / 6), y + 60 * math.sin(turn / 6))
        time.sleep(0.01)
    number, points, took = page.js(
        "const done = [drawn.frames.length, drawn.points];"
        "await drawn.finish(); return [...done, performance.now() - drawn.from]"
    )
    mouse.up()
    time.sleep(3)
    if not number:
        return None, "it did not move"
    return 1000 * number / took, f"{number} frames, {points / number:,.0f} points a frame"


def lasso(page: Notebook, who: Contestant) -> Figure:
    """From letting go of the mouse to the kernel having what is inside."""
    if who.lasso:
        page.execute(who.lasso)
        time.sleep(3)
    x, y, width, height = middle(page, who)
    mouse, keyboard = page.page.mouse, page.page.keyboard
    taken: list[float] = []
    number = 0
    for size in (0.25, 0.3, 0.35):
        page.execute("known.clear()")
        page.js(MOUSE_UP)
        if who.key:
            keyboard.down(who.key)
        for k in range(25):
            place = (
                x + size * width * math.cos(k / 4) * 0.8,
                y + size * height * math.sin(k / 4),
            )
            mouse.move(*place)
            if k == 0:
                mouse.down()
            time.sleep(0.03)
        time.sleep(0.5)
        mouse.up()
        if who.key:
            keyboard.up(who.key)
        known = page.wait_value("known", lambda k: bool(k) and k[-1][1] > 0, seconds=30)
        taken.append(known[-1][0] - page.js("return window.released") / 1000)
        number = known[-1][1]
        time.sleep(2)
    return sorted(taken)[1], f"median of 3, {number:,} items the last time"


def recolour(page: Notebook, who: Contestant, n: int) -> tuple[Figure, Figure]:
    """Bytes on the wire, and how often all points are drawn, for new colours."""
    if who.ready:
        page.execute(who.ready)
        time.sleep(3)
    devtools = page.page.context.new_cdp_session(page.page)
    sizes: list[int] = []

    def heard(event: dict) -> None:  # type: ignore[type-arg]
        frame = event["response"]
        text = frame["payloadData"]
        # Binary frames come as base64.
        sizes.append(len(text) * 3 // 4 if frame["opcode"] == 2 else len(text))

    devtools.on("Network.webSocketFrameReceived", heard)
    devtools.send("Network.enable")
    page.js("await drawn.finish(); drawn.points = 0")
    page.execute(who.recolour)
    page.page.wait_for_timeout(6_000)
    points = page.js("return drawn.points")
    devtools.detach()
    large = [size for size in sizes if size > n / 4]
    note = f"{len(large)} messages of {sum(large):,} bytes in all"
    return (sum(large) / n, note), (points / n, "points drawn, by how many there are")


def growth(page: Notebook, empty: int) -> tuple[Figure, Figure, Figure]:
    """How much larger the file is than without outputs: as saved, and with the widgets' state."""
    plain = page.save()
    page.command("@jupyter-widgets/jupyterlab-manager:saveWidgetState")
    page.js("panel.context.model.dirty = true")
    full = page.save()
    page.command("@jupyter-widgets/jupyterlab-manager:saveWidgetState")  # off again, for the next
    states = json.loads(page.path.read_text())["metadata"].get("widgets", {}).values()
    code = sum(
        len(json.dumps(model["state"].get(name, "")))
        for state in states
        for model in state["state"].values()
        for name in ("_esm", "_css", "_anywidget_id")
    )
    grown = [(size - empty) / 1024 for size in (plain, full, full - code)]
    return (grown[0], ""), (grown[1], "an option, off by default"), (grown[2], "")
