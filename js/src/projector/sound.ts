/** A sound under the pointer: its waveform and how long it takes; it plays when somebody presses, and never by itself. */
import { make, setText } from "../shared/dom";

const TYPES = new Set(["audio/wav", "audio/mpeg", "audio/ogg", "audio/flac"]);
const DAMAGED = "This sound cannot be played: its file is damaged.";
const BARS = 48;
/** Width of a bar with the room beside it, and of the highest one half: units of the drawing. */
const [STEP, HALF] = [4, 20];
/** Hertz: enough for a picture of it. */
const RATE = 22_050;

/** Samples of a sound's first channel, and its length in seconds. */
export interface Decoded {
  seconds: number;
  samples: Float32Array;
}

/** How loud each part of a sound is, the loudest 1. */
export function loudness(samples: Float32Array, parts: number): number[] {
  const peaks = Array.from({ length: parts }, (_, part) => {
    const [from, to] = [part, part + 1].map((k) => Math.floor((k * samples.length) / parts)) as [
      number,
      number,
    ];
    let peak = 0;
    for (let i = from; i < to; i++) peak = Math.max(peak, Math.abs(samples[i]!));
    return peak;
  });
  const most = Math.max(...peaks);
  return peaks.map((peak) => (most > 0 ? peak / most : 0));
}

/** 83.4 as "1:23". */
export function clock(seconds: number): string {
  const whole = Math.floor(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

/** How long a sound takes, in words: tenths where it is short. */
export function length(seconds: number): string {
  return seconds < 10 ? `${seconds.toFixed(1)} s` : clock(seconds);
}

async function decoded(bytes: ArrayBuffer): Promise<Decoded> {
  const buffer = await new OfflineAudioContext(1, 1, RATE).decodeAudioData(bytes);
  return { seconds: buffer.duration, samples: buffer.getChannelData(0) };
}

export class Sound {
  readonly root = make("div", { class: "alw-map-sound", hidden: true });
  readonly #decode: (bytes: ArrayBuffer) => Promise<Decoded>;
  readonly #wave = make("div", { class: "alw-map-wave" });
  readonly #played = make("div", { class: "alw-map-wave alw-map-played" });
  readonly #time = make("span", { class: "alw-map-time" });
  readonly #hint = make("span", {}, make("kbd", {}, "Space"), " or a click plays");
  #player: HTMLAudioElement | null = null;
  #url: string | null = null;
  #seconds = 0;
  #frame = 0;

  /** @param decode a file's bytes, which it may keep */
  constructor(decode: (bytes: ArrayBuffer) => Promise<Decoded> = decoded) {
    this.#decode = decode;
    this.root.append(
      make("div", { class: "alw-map-waves" }, this.#wave, this.#played),
      make("div", { class: "alw-map-heard" }, this.#time, this.#hint),
    );
  }

  /** Whether there is one to be heard. */
  get isThere(): boolean {
    return this.#player !== null;
  }

  /** Takes over a sound, silently. */
  show(file: DataView, mime: string): void {
    this.clear();
    if (!TYPES.has(mime)) return;
    const bytes = new Uint8Array(file.buffer as ArrayBuffer, file.byteOffset, file.byteLength);
    this.#url = URL.createObjectURL(new Blob([bytes], { type: mime }));
    const player = make("audio", { preload: "metadata", src: this.#url });
    player.onplay = () => this.#follow();
    player.onended = () => {
      player.currentTime = 0;
      this.#paint();
    };
    player.onerror = () => {
      if (this.#player !== player) return;
      this.#player = null;
      setText(this.#time, DAMAGED);
      this.#hint.hidden = true;
    };
    this.#player = player;
    this.root.hidden = this.#hint.hidden = false;
    // A copy: what is decoded is taken away from whoever had it.
    this.#decode(bytes.slice().buffer)
      .then(({ seconds, samples }) => {
        if (this.#player !== player) return;
        this.#seconds = seconds;
        const bars = loudness(samples, BARS);
        for (const wave of [this.#wave, this.#played]) wave.replaceChildren(drawing(bars));
        this.#paint();
      })
      .catch(() => {}); // the player says so, too
  }

  /** Plays, or stops; false where there is nothing to be heard. */
  toggle(): boolean {
    const player = this.#player;
    if (!player) return false;
    if (player.paused) player.play().catch(() => {});
    else player.pause();
    return true;
  }

  clear(): void {
    cancelAnimationFrame(this.#frame);
    const player = this.#player;
    this.#player = null;
    player?.pause();
    player?.removeAttribute("src");
    if (this.#url) URL.revokeObjectURL(this.#url);
    this.#url = null;
    this.#seconds = 0;
    this.root.hidden = true;
    setText(this.#time, "");
    for (const wave of [this.#wave, this.#played]) wave.replaceChildren();
    this.#played.style.clipPath = "inset(0 100% 0 0)";
  }

  /** Shows where it is, as long as it plays. */
  #follow(): void {
    cancelAnimationFrame(this.#frame);
    this.#paint();
    if (this.#player && !this.#player.paused) this.#frame = requestAnimationFrame(() => this.#follow());
  }

  #paint(): void {
    const now = this.#player?.currentTime ?? 0;
    const share = this.#seconds > 0 ? Math.min(1, now / this.#seconds) : 0;
    this.#played.style.clipPath = `inset(0 ${100 * (1 - share)}% 0 0)`;
    if (this.#seconds === 0) return;
    setText(this.#time, now > 0 ? `${clock(now)} of ${clock(this.#seconds)}` : length(this.#seconds));
  }
}

function drawing(bars: readonly number[]): SVGSVGElement {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  svg.setAttribute("viewBox", `0 0 ${bars.length * STEP} ${2 * HALF}`);
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(space, "path");
  const lines = bars.map((loud, k) => {
    const half = Math.max(0.75, loud * (HALF - 1));
    return `M${(k + 0.5) * STEP} ${(HALF - half).toFixed(2)}v${(2 * half).toFixed(2)}`;
  });
  path.setAttribute("d", lines.join(""));
  svg.append(path);
  return svg;
}
