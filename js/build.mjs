// Bundles every src/widgets/NAME.ts and NAME.css into ../alwidgets/static, one self-contained ES module and one
// stylesheet a widget, and collects the licences of the packages that really went into them.
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { context, build as esbuild } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const entries = join(here, "src", "widgets");
const out = join(here, "..", "alwidgets", "static");
const kept = join(here, "licences"); // texts for packages whose own archive holds none: licences/NAME.txt

/** Packages whose published module already contains others: their licences go along. */
const contained = {
  "regl-scatterplot": [
    "@flekschas/utils",
    "camera-2d-simple",
    "dom-2d-camera",
    "earcut",
    "gl-matrix",
    "kdbush",
    "regl-line",
  ],
};

/** Names of the widgets: each needs a stylesheet beside its module, even an almost empty one. */
async function widgetNames() {
  const files = new Set(await readdir(entries));
  const names = [...files]
    .filter((f) => f.endsWith(".ts") && !f.includes(".test."))
    .map((f) => basename(f, ".ts"));
  for (const name of names) {
    if (!files.has(`${name}.css`))
      throw new Error(`src/widgets/${name}.css is missing: every widget has one.`);
  }
  if (names.length === 0) throw new Error("src/widgets holds no widget.");
  return names.sort();
}

/** Folder (below node_modules) of the package a bundled file belongs to, or null for our own. */
function packageOf(input) {
  const at = input.lastIndexOf("node_modules/");
  if (at < 0) return null;
  const parts = input.slice(at + "node_modules/".length).split("/");
  const name = parts[0].startsWith("@") ? `${parts[0]}/${parts[1]}` : parts[0];
  return `${input.slice(0, at)}node_modules/${name}`;
}

/** The text of every licence file of a package; an error when there is none. */
async function licenceOf(folder) {
  const about = JSON.parse(await readFile(join(here, folder, "package.json"), "utf8"));
  const files = (await readdir(join(here, folder)))
    .filter((f) => /^(licen[sc]e|copying|notice)/i.test(f))
    .sort();
  const texts = await Promise.all(files.map((f) => readFile(join(here, folder, f), "utf8")));
  if (!files.some((f) => !/^notice/i.test(f))) {
    const own = join(kept, `${about.name.replace("/", "__")}.txt`);
    const text = await readFile(own, "utf8").catch(() => null);
    if (text === null) {
      throw new Error(
        `${about.name} ${about.version} is bundled but ships no licence text: put the text of its ` +
          `'${about.license}' licence, with its copyright line, into js/licences/${basename(own)}, or do without it.`,
      );
    }
    texts.push(text);
  }
  return `${about.name} ${about.version} (${about.license})\n\n${texts.map((t) => t.trim()).join("\n\n")}\n`;
}

async function licences(metafile) {
  const folders = new Set(
    Object.values(metafile.outputs)
      .flatMap((o) => Object.entries(o.inputs))
      .filter(([, used]) => used.bytesInOutput > 0)
      .map(([input]) => packageOf(input))
      .filter(Boolean),
  );
  for (const folder of [...folders]) {
    const [root, name] = folder.split("node_modules/");
    for (const inner of contained[name] ?? []) folders.add(`${root}node_modules/${inner}`);
  }
  const texts = [];
  for (const folder of [...folders].sort()) texts.push(await licenceOf(folder));
  const head = "Packages bundled into the front end of alwidgets, with their licences.\n";
  return texts.length === 0 ? `${head}\nNone.\n` : [head, ...texts].join(`\n${"-".repeat(80)}\n\n`);
}

/** Renamed into place, so that no reader ever sees half a file. */
async function place(path, contents) {
  await writeFile(`${path}.new`, contents);
  await rename(`${path}.new`, path);
}

const toDisk = {
  name: "place",
  setup(build) {
    build.onEnd(async (result) => {
      if (result.errors.length > 0) return;
      await mkdir(out, { recursive: true });
      for (const file of result.outputFiles) await place(join(out, basename(file.path)), file.contents);
      await place(join(out, "THIRD_PARTY_LICENSES.txt"), await licences(result.metafile));
      for (const file of result.outputFiles) {
        console.log(
          `${basename(file.path).padEnd(16)} ${(file.contents.length / 1024).toFixed(1).padStart(7)} KiB`,
        );
      }
    });
  },
};

const watch = process.argv.includes("--watch");
const names = await widgetNames();
const options = {
  absWorkingDir: here,
  entryPoints: names.flatMap((n) => [`src/widgets/${n}.ts`, `src/widgets/${n}.css`]),
  outdir: out,
  bundle: true,
  format: "esm",
  target: "es2022",
  minify: !watch,
  sourcemap: watch ? "inline" : false,
  legalComments: "none",
  metafile: true,
  write: false,
  charset: "utf8",
  loader: { ".svg": "text" },
  logLevel: "warning",
  plugins: [toDisk],
};

if (watch) {
  const running = await context(options);
  await running.watch();
  console.log("watching src/");
} else {
  // a widget that is gone must not stay in the wheel
  await mkdir(out, { recursive: true });
  for (const file of await readdir(out)) {
    if (/\.(js|css)$/.test(file) && !names.includes(file.replace(/\.(js|css)$/, "")))
      await rm(join(out, file));
  }
  await esbuild(options);
}
