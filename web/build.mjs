// Builds archbuilder/page/page.js and page.css from the sources here: the same sources give the same bytes.

import { build } from "esbuild";

const into = new URL("../archbuilder/page/", import.meta.url).pathname;

await build({
  absWorkingDir: new URL(".", import.meta.url).pathname,
  entryPoints: { page: "page/main.js" },
  outdir: process.argv[2] ?? into,
  bundle: true,
  minify: true,
  charset: "utf8",
  format: "iife",
  target: ["es2022"],
  legalComments: "none",
  banner: { js: "/* Preact and htm (MIT and Apache-2.0), and the page of archbuilder: built from web/ by `make web`. */" },
});
