// The page's half of the cursor protocol, as shipped, for tests in Python: a request and an answer
// a line. See tests/widgets/node_page.py.

import {createInterface} from "node:readline";
import {
  noPoints,
  pointCount,
  syncMessage,
  take,
} from "../../widgets/distill_widgets/charts/cursor.js";

const pages = new Map();

/** A buffer as a page gets it: off alignment. */
function viewOf(text) {
  const bytes = Buffer.from(text, "base64");
  const all = new Uint8Array(bytes.length + 1);
  all.set(bytes, 1);
  return new DataView(all.buffer, 1);
}

const actions = {
  open({page, traces}) {
    pages.set(page, noPoints(traces));
    return null;
  },
  take({page, message, buffers}) {
    return take(pages.get(page), message, buffers.map(viewOf));
  },
  sync({page}) {
    return syncMessage(pages.get(page));
  },
  state({page}) {
    const points = pages.get(page);
    return {...points, count: pointCount(points)};
  },
};

for await (const line of createInterface({input: process.stdin})) {
  const request = JSON.parse(line);
  console.log(JSON.stringify(actions[request.do](request)));
}
