/** The plot as a picture, by the plotly that drew it. */

/** In pixels; the file has SCALE times as many each way. */
export const WIDTH = 900;
export const HEIGHT = 420;
export const SCALE = 2;

interface Figure {
  data: unknown[];
  layout: Record<string, unknown>;
}

interface Plotly {
  toImage(figure: Figure, options: Record<string, unknown>): Promise<string>;
}

const INK = "#222222";
const PAPER = "#ffffff";

/** A PNG of the plot in `box`, dark on white whatever the page is, with a title. */
export async function picture(box: HTMLElement, title: string): Promise<Blob> {
  const plot = box.querySelector<HTMLElement & Partial<Figure>>(".js-plotly-plot");
  const plotly = (window as { Plotly?: Plotly }).Plotly;
  if (!plot?.data || !plot.layout || !plotly) throw new Error("there is no plot here to take it of");
  const { data, layout } = plot;
  const light = {
    ...layout,
    autosize: false,
    width: WIDTH,
    height: HEIGHT,
    paper_bgcolor: PAPER,
    plot_bgcolor: PAPER,
    font: { ...(layout.font as object), color: INK },
    margin: { l: 64, r: 24, t: 84, b: 52 }, // a title, and the legend below it
    legend: { ...(layout.legend as object), bgcolor: "rgba(0,0,0,0)" },
    title: { text: plain(title), x: 0.02, xanchor: "left", y: 0.96, yanchor: "top", font: { size: 15 } },
  };
  const options = { format: "png", width: WIDTH, height: HEIGHT, scale: SCALE, imageDataOnly: true };
  const bytes = atob(await plotly.toImage({ data, layout: light }, options));
  return new Blob([Uint8Array.from(bytes, (c) => c.charCodeAt(0))], { type: "image/png" });
}

/** A text as plotly is to show it: the name of a class is no markup. */
function plain(text: string): string {
  return text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
}
