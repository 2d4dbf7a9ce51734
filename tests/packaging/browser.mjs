// Runs a program in the Python that browsers run, and nothing of this machine's: what it prints is this process's output.
//
//     node browser.mjs FOLDER-OF-PYODIDE PROGRAM.py ARCHIVE.zip WHEEL...
//
// The archive holds packages that are Python alone; a wheel may hold compiled ones.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

process.on("uncaughtException", (error) => {
  console.error(`${error}`); // node itself would show the line first, which is the whole of Pyodide
  process.exit(1);
});

const [folder, program, archive, ...wheels] = process.argv.slice(2);
const { loadPyodide } = await import(pathToFileURL(join(folder, "pyodide.mjs")));
const python = await loadPyodide({ indexURL: `${folder}/` });
python.unpackArchive(new Uint8Array(readFileSync(archive)), "zip", {
  extractDir: python.runPython("import site; site.getsitepackages()[0]"),
});
await python.loadPackage(wheels, { messageCallback: () => {} });
python.runPython(readFileSync(program, "utf8"), { filename: program });
