import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { AudioContent } from "../shared/messages";
import { clock, length, loudness, Sound } from "./sound";
import { MapState } from "./state";
import { bytes, FakeModel } from "./testing";
import { MapView } from "./view";

describe("a waveform", () => {
  it("is as high as the loudest of each part, the highest 1", () => {
    expect(loudness(Float32Array.of(0, 0.1, -0.5, 0.2, 0, 0), 3)).toEqual(
      [0.2, 1, 0].map((v) => expect.closeTo(v)),
    );
    expect(loudness(new Float32Array(8), 2)).toEqual([0, 0]);
    expect(loudness(new Float32Array(0), 2)).toEqual([0, 0]);
  });

  it("has its length in words", () => {
    expect([clock(3.9), clock(83.4), clock(600)]).toEqual(["0:03", "1:23", "10:00"]);
    expect([length(0.94), length(12.4)]).toEqual(["0.9 s", "0:12"]);
  });
});

describe("a sound", () => {
  const play = vi.fn(async () => {});
  const pause = vi.fn();
  let sound: Sound;
  beforeEach(() => {
    play.mockClear();
    pause.mockClear();
    vi.spyOn(HTMLMediaElement.prototype, "play").mockImplementation(play);
    vi.spyOn(HTMLMediaElement.prototype, "pause").mockImplementation(pause);
    sound = new Sound(async (file) => ({ seconds: file.byteLength, samples: Float32Array.of(0.5, 1) }));
  });
  afterEach(() => {
    sound.clear();
    vi.restoreAllMocks();
  });
  const time = () => sound.root.querySelector(".alw-map-time")!.textContent;

  it("is silent until somebody presses", async () => {
    sound.show(bytes([1, 2, 3]), "audio/wav");
    await vi.waitFor(() => expect(time()).toBe("3.0 s"));
    expect(sound.root.hidden).toBe(false);
    expect(sound.root.querySelectorAll("path")).toHaveLength(2);
    expect(play).not.toHaveBeenCalled();
    expect(sound.toggle()).toBe(true);
    expect(play).toHaveBeenCalledOnce();
  });

  it("stops when it is taken away", () => {
    sound.show(bytes([1]), "audio/wav");
    sound.clear();
    expect(pause).toHaveBeenCalled();
    expect([sound.isThere, sound.toggle(), sound.root.hidden]).toEqual([false, false, true]);
  });

  it("of another type is none", () => {
    sound.show(bytes([1]), "text/html");
    expect(sound.isThere).toBe(false);
  });

  it("is not drawn over the next one", async () => {
    const waiting: ((length: number) => void)[] = [];
    sound = new Sound(
      () => new Promise((done) => waiting.push((seconds) => done({ seconds, samples: new Float32Array(2) }))),
    );
    sound.show(bytes([1]), "audio/wav");
    sound.show(bytes([1]), "audio/wav");
    waiting[1]!(2);
    await vi.waitFor(() => expect(time()).toBe("2.0 s"));
    waiting[0]!(9);
    await Promise.resolve();
    expect(time()).toBe("2.0 s");
  });
});

describe("the key for a sound", () => {
  it("is left to the page where there is no sound", () => {
    const model = new FakeModel();
    const state = new MapState(model);
    const view = new MapView(state);
    model.points(4);
    const event = new KeyboardEvent("keydown", { key: " ", bubbles: true, cancelable: true });
    view.root.dispatchEvent(event);
    expect(event.defaultPrevented).toBe(false);
    view.dispose();
    state.dispose();
  });

  it("comes with the bytes of the sound", () => {
    const model = new FakeModel();
    const state = new MapState(model);
    const content: AudioContent = { kind: "audio", mime: "audio/wav", buffer: 0, alt: "x" };
    const rest = { label: null, prediction: null, confidence: null, uncertainty: null };
    model.receive({ type: "preview", index: 0, item_id: "a", content, ...rest }, bytes([1, 2]));
    expect(state.preview?.file?.byteLength).toBe(2);
    state.dispose();
  });
});
