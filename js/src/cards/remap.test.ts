import { describe, expect, it } from "vitest";
import { useDesk } from "./desk";
import { CardsState } from "./state";
import { textCards } from "./testing";
import { CardsView } from "./view";

const on = useDesk();

/** Opens the cards with keys of one's own. */
function open(keys: Record<string, string>): void {
  const { desk } = on;
  desk.model.set("_keys", keys);
  desk.view.dispose();
  desk.state.dispose();
  desk.state = new CardsState(desk.model, {
    shelf: desk.shelf,
    afterFrame: (run) => run(),
    atRest: (run) => run(),
  });
  desk.view = new CardsView(desk.state);
  document.body.append(desk.view.root);
  desk.model.queue(textCards("a", "b", "c"));
}

describe("keys of one's own", () => {
  it("do what the usual ones did, and these no longer", () => {
    open({ " ": "x", f: " " });
    on.desk.press("f");
    expect(on.desk.find(".alw-flag").getAttribute("aria-pressed")).toBe("false");
    on.desk.press(" ");
    expect(on.desk.find(".alw-flag").getAttribute("aria-pressed")).toBe("true");
    expect(on.desk.itemId).toBe("a");
    on.desk.press("X");
    expect(on.desk.itemId).toBe("b");
    on.desk.press("z", { ctrlKey: true });
    expect(on.desk.itemId).toBe("a");
  });

  it("may change places", () => {
    open({ Enter: " ", " ": "Enter" });
    on.desk.press("Enter");
    expect(on.desk.text(".alw-last")).toBe("last: skipped");
  });

  it("are shown on the buttons and in the list of keys", () => {
    open({ " ": "x", Backspace: "Delete", g: "q" });
    expect(on.desk.text(".alw-skip .alw-key")).toBe("X");
    expect(on.desk.find(".alw-skip").getAttribute("aria-keyshortcuts")).toBe("x");
    expect(on.desk.text(".alw-undo .alw-key")).toBe("Delete");
    on.desk.press("?");
    const rows = [...on.desk.view.root.querySelectorAll(".alw-help dt")].map((dt) => dt.textContent);
    expect(rows).toContain("X");
    expect(rows).toContain("Delete");
    expect(rows).not.toContain("Space");
  });
});
