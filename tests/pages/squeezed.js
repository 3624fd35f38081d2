// Whether what a widget sends says the same as the files: the same tokens, for each module. Given
// a folder of squeezed modules; needs TypeScript, which NODE_PATH finds.

import {readdirSync, readFileSync} from "node:fs";
import {createRequire} from "node:module";
import {join} from "node:path";

const ts = createRequire(import.meta.url)("typescript");
const [, , files, squeezed] = process.argv;

function tokensOf(text) {
  const source = ts.createSourceFile("m.js", text, ts.ScriptTarget.Latest, true, ts.ScriptKind.JS);
  const tokens = [];
  const visit = (node) => {
    if (ts.isJSDoc(node)) return;
    const children = node.getChildren(source);
    if (children.length) children.forEach(visit);
    else tokens.push(node.getText(source));
  };
  visit(source);
  return tokens.join(" ");
}

const modules = readdirSync(files, {recursive: true}).filter((name) => name.endsWith(".js"));
const read = (folder, name) => tokensOf(readFileSync(join(folder, name), "utf8"));
const changed = modules.filter((name) => read(files, name) !== read(squeezed, name));
if (!modules.length || changed.length) {
  console.error(
    `changed by taking comments and indents away: ${changed.join(", ") || "nothing there"}`,
  );
  process.exit(1);
}
