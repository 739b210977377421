/** What the sizes and the opacities of the points follow: a quantity each, or nothing. */
import { decodeVaried, resizeVaried, type Varied } from "./codecs";
import type { Steps } from "./looks";
import type { ColourBy, VariedMessage, What } from "./messages";

export const WHATS: readonly What[] = ["size", "opacity"];

export class Varying {
  readonly shown: Record<What, Varied | null> = { size: null, opacity: null };
  /** What was asked for and has not come yet; null for nothing to follow. */
  readonly asked: Partial<Record<What, ColourBy | null>> = {};

  /** What is followed, or will be. */
  by(what: What): ColourBy | null {
    const asked = this.asked[what];
    return asked === undefined ? (this.shown[what]?.by ?? null) : asked;
  }

  /** For the plot: the steps of all points. */
  get steps(): Steps {
    return { size: this.shown.size?.steps ?? null, opacity: this.shown.opacity?.steps ?? null };
  }

  /** @param n how many points there are */
  take(message: VariedMessage, buffers: readonly DataView[], n: number): void {
    this.shown[message.what] = decodeVaried(message, buffers, n);
    delete this.asked[message.what];
  }

  /** What was asked for does not come. */
  giveUp(): void {
    for (const what of WHATS) delete this.asked[what];
  }

  /** More points have come: nothing is known of the new ones. */
  resize(n: number): void {
    for (const what of WHATS) {
      const shown = this.shown[what];
      if (shown) this.shown[what] = resizeVaried(shown, n);
    }
  }

  /** Other points have come: nothing is known of them. */
  forget(): void {
    for (const what of WHATS) this.shown[what] = null;
  }
}
