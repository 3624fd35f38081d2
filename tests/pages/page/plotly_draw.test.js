import assert from "node:assert/strict";
import {test} from "node:test";
import {plot, safe} from "../../../widgets/distill_widgets/page/plotly_draw.js";

test("every text is text, wherever it stands", () => {
  const made = safe({name: "<b>", meta: ["a & b", 1], text: {deep: "$x$"}});
  assert.deepEqual(made, {name: "&lt;b&gt;", meta: ["a &amp; b", 1], text: {deep: "&#36;x&#36;"}});
});

test("a template keeps its own end, and no other markup", () => {
  assert.equal(
    safe({hovertemplate: "<a>%{x}<extra></extra>"}).hovertemplate,
    "&lt;a&gt;%{x}<extra></extra>",
  );
  assert.equal(safe({hovertemplate: "%{x}<i>"}).hovertemplate, "%{x}&lt;i&gt;");
});

test("numbers are passed on as they are", () => {
  const numbers = [1, null, 2];
  assert.equal(safe(numbers), numbers);
  const bytes = new Float32Array(2);
  assert.equal(safe(bytes), bytes);
});

test("nothing that is loaded reaches plotly", async () => {
  const calls = [];
  const plotly = {react: async (...call) => calls.push(call)};
  const data = [{type: "scatter"}, {type: "image", source: "http://x"}];
  await plot(plotly, "box", data, {images: [{source: "http://x"}], title: "<t>"});
  const [[box, traces, layout]] = calls;
  assert.deepEqual([box, traces, layout], ["box", [{type: "scatter"}], {title: "&lt;t&gt;"}]);
});
