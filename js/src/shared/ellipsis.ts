/**
 * Cuts off with an ellipsis those texts that have no room. The others are not clipped: where a clip moves or grows with
 * its text, as on every card, the browser works out all layers of the page anew. Lays the page out.
 */
export function ellipsis(...texts: HTMLElement[]): void {
  const long = texts.map((text) => text.scrollWidth > text.clientWidth + 1); // both are rounded
  texts.forEach((text, i) => {
    text.classList.toggle("alw-cut", long[i]);
  });
}
