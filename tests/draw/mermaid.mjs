// Parses Mermaid texts with mermaid itself, which wants a browser's document: the folder of node_modules, then the texts' files.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [folder, ...files] = process.argv.slice(2);
const require = createRequire(pathToFileURL(`${folder}/`));
const { JSDOM } = require("jsdom");
globalThis.window = new JSDOM("").window;
globalThis.document = window.document;
const { default: mermaid } = await import(pathToFileURL(`${folder}/node_modules/mermaid/dist/mermaid.core.mjs`));
for (const file of files) {
  console.log((await mermaid.parse(readFileSync(file, "utf8"))).diagramType);
}
