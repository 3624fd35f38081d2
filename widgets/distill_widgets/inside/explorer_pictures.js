// @ts-check
// What the explorer gives plotly: a map of entries, their use, tables of pairs and of files.

import {colourOf, SCALE} from "../page/colours.js";
import {fixed, shownText, themeColour} from "../page/common.js";
import {plainAxis} from "../page/plotly_page.js";

export const COLOURINGS = {
  use: {label: "use", title: "uses", of: (entry) => entry.counts},
  loudness: {label: "loudness", title: "dB", of: (entry) => entry.loudness},
  brightness: {label: "brightness", title: "Hz", of: (entry) => entry.brightness},
  file: {label: "main file", title: "", of: null},
};
const SMALLEST_PX = 6,
  LARGEST_PX = 30,
  LONGEST_NAME = 120;

export function numbers(buffer, Kind) {
  return new Kind(buffer.buffer.slice(buffer.byteOffset, buffer.byteOffset + buffer.byteLength));
}

export function levelOf(answer) {
  const [counts, loudness, brightness, main] = answer.buffers;
  return {
    counts: numbers(counts, Int32Array),
    loudness: numbers(loudness, Float32Array),
    brightness: numbers(brightness, Float32Array),
    main: numbers(main, Int32Array),
    dead: answer.dead,
    uses: answer.uses,
  };
}

export function rowsOf(flat, columns) {
  return Array.from({length: flat.length / columns}, (_, row) =>
    Array.from(flat.subarray(row * columns, (row + 1) * columns)),
  );
}

export function mapPicture(el, level, places, colouring, names, selected) {
  const most = Math.max(1, ...level.counts),
    all = [...level.counts.keys()];
  const x = (entry) => places[2 * entry],
    y = (entry) => places[2 * entry + 1];
  const told = (entry) =>
    [
      `entry ${entry}`,
      `used ${level.counts[entry]} ×${level.counts[entry] ? "" : ", never"}`,
      ...(level.counts[entry]
        ? [`mostly in ${shownText(names[level.main[entry]] ?? "?", LONGEST_NAME)}`]
        : []),
      `${fixed(level.brightness[entry])} Hz, ${fixed(level.loudness[entry])} dB`,
    ].join("\n");
  const points = (entries, name, marker) => ({
    type: "scatter",
    mode: "markers",
    name,
    x: entries.map(x),
    y: entries.map(y),
    customdata: entries,
    text: entries.map(told),
    hovertemplate: "%{text}<extra></extra>",
    marker,
  });
  const used = all
    .filter((entry) => level.counts[entry])
    .sort((a, b) => level.counts[b] - level.counts[a]);
  const size = used.map(
    (entry) => SMALLEST_PX + (LARGEST_PX - SMALLEST_PX) * Math.sqrt(level.counts[entry] / most),
  );
  const {of, title} = COLOURINGS[colouring];
  const colour = of
    ? {
        color: used.map((entry) => of(level)[entry]),
        colorscale: SCALE,
        colorbar: {
          title: {text: title, side: "right"},
          thickness: 8,
          outlinewidth: 0,
          len: 0.6,
          x: 1.01,
          tickfont: {size: 10},
        },
      }
    : {color: used.map((entry) => colourOf(level.main[entry]))};
  const muted = themeColour(el, "var(--distill-muted)");
  return {
    data: [
      points(used, "used", {
        size,
        opacity: 0.88,
        line: {width: 1, color: themeColour(el, "var(--distill-ground)")},
        ...colour,
      }),
      points(level.dead, "never used", {
        size: 7,
        symbol: "x-thin",
        line: {width: 1.2, color: muted},
      }),
      {
        ...points(selected === null ? [] : [selected], "chosen", {
          size: 36,
          symbol: "circle-open",
          color: themeColour(el, "var(--distill-ink)"),
          line: {width: 2},
        }),
        hoverinfo: "skip",
        hovertemplate: null,
      },
    ],
    layout: {
      margin: {l: 8, r: 8, t: 8, b: 8},
      showlegend: false,
      hovermode: "closest",
      xaxis: {showticklabels: false, showgrid: false, zeroline: false, showline: false},
      yaxis: {showticklabels: false, showgrid: false, zeroline: false, showline: false},
    },
  };
}

function ground(el) {
  const least = el.classList.contains("distill-dark") ? "ground" : "raised"; // what the accent stands out from
  return [
    [0, themeColour(el, `var(--distill-${least})`)],
    [1, themeColour(el, "var(--distill-accent)")],
  ];
}

// Counts differ by thousands: their logarithm is drawn, they themselves are told. Names go into a
// template by `meta`, never into its text, where a % would ask for something.
function heat(el, rows, x, y, template, extra = {}) {
  return {
    type: "heatmap",
    z: rows.map((row) => row.map((n) => Math.log10(1 + n))),
    customdata: rows,
    x,
    y,
    colorscale: ground(el),
    showscale: false,
    hovertemplate: `${template}<extra></extra>`,
    xgap: 0,
    ygap: 0,
    ...extra,
  };
}

export function usagePicture(el, labels, order, counts) {
  return {
    data: [
      {
        ...heat(el, counts, undefined, labels, "%{y}, entry %{text}: %{customdata} ×"),
        text: order,
        ygap: 3,
      },
    ],
    layout: {
      margin: {l: 8, r: 8, t: 8, b: 36},
      xaxis: {
        ...plainAxis(el),
        showgrid: false,
        title: {text: "entries, the most used first", standoff: 6},
      },
      yaxis: {...plainAxis(el), showgrid: false, autorange: "reversed", type: "category"},
    },
  };
}

export function rankPicture(el, labels, counts, colours) {
  return {
    data: counts.map((row, level) => {
      const used = row.filter(Boolean);
      return {
        type: "scatter",
        mode: "lines",
        name: labels[level],
        x: used.map((_, i) => i + 1),
        y: used,
        line: {color: colours[level], width: 2},
        meta: [labels[level]],
        hovertemplate: "%{meta[0]}, place %{x}: %{y} ×<extra></extra>",
      };
    }),
    layout: {
      margin: {l: 8, r: 8, t: 24, b: 36},
      showlegend: true,
      legend: {orientation: "h", x: 0, y: 1, yanchor: "bottom"},
      xaxis: {...plainAxis(el), type: "log", dtick: 1, title: {text: "place", standoff: 6}},
      yaxis: {...plainAxis(el), type: "log", dtick: 1, title: {text: "uses", standoff: 6}},
    },
  };
}

export function pairsPicture(el, answer, rowName, columnName) {
  const rows = rowsOf(numbers(answer.buffers[0], Int32Array), answer.columns.length);
  const ticks = (entries) => entries.map(String);
  return {
    data: [
      heat(
        el,
        rows,
        ticks(answer.columns),
        ticks(answer.rows),
        "%{meta[0]} %{y} – %{meta[1]} %{x}: %{customdata} ×",
        {meta: [rowName, columnName]},
      ),
    ],
    layout: {
      margin: {l: 8, r: 8, t: 8, b: 36},
      hovermode: "closest",
      xaxis: {
        ...plainAxis(el),
        showgrid: false,
        type: "category",
        nticks: 12,
        title: {text: `${columnName}, entries by use`, standoff: 6},
      },
      yaxis: {
        ...plainAxis(el),
        showgrid: false,
        type: "category",
        nticks: 12,
        autorange: "reversed",
        title: {text: `${rowName}, entries by use`, standoff: 6},
      },
    },
  };
}

export function filesPicture(el, answer) {
  const rows = rowsOf(numbers(answer.buffers[0], Float32Array), answer.names.length);
  const shown = answer.names.map((_, i) => i),
    few = answer.names.length <= 40;
  const axis = {
    ...plainAxis(el),
    showgrid: false,
    showticklabels: few,
    tickvals: shown,
    ticktext: answer.names,
    tickfont: {size: 9},
  };
  return {
    data: [
      {
        type: "heatmap",
        z: rows,
        x: shown,
        y: shown,
        customdata: rows.map((_, i) => answer.names.map((name) => [answer.names[i], name])),
        zmin: 0,
        zmax: 1,
        colorscale: ground(el),
        hovertemplate: "%{customdata[0]} and %{customdata[1]}: %{z:.2f}<extra></extra>",
        colorbar: {thickness: 8, outlinewidth: 0, len: 0.6, tickfont: {size: 10}},
      },
    ],
    layout: {
      margin: {l: 8, r: 8, t: 8, b: 8},
      hovermode: "closest",
      xaxis: {...axis, tickangle: -60},
      yaxis: {...axis, autorange: "reversed"},
    },
  };
}
