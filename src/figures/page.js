"use strict";
const dark = matchMedia("(prefers-color-scheme: dark)");
const chosen = () => document.documentElement.style.colorScheme;
const isDark = () => (chosen() || (dark.matches ? "dark" : "light")) === "dark";

/** What the theme says about a plot: the colour of its text, its grids and its zero lines. */
function inked(layout) {
  const ink = isDark() ? "#ddd" : "#222", grid = isDark() ? "#444" : "#ddd";
  const change = {"font.color": ink};
  for (const axis of Object.keys(layout).filter(key => /^[xy]axis/.test(key)))
    Object.assign(change, {[axis + ".gridcolor"]: grid, [axis + ".zerolinecolor"]: grid});
  return change;
}

function paint() {
  for (const plot of document.querySelectorAll(".js-plotly-plot")) Plotly.relayout(plot, inked(plot.layout));
}

/** A layout in the colours of the theme. */
function inkIn(layout) {
  for (const [path, value] of Object.entries(inked(layout))) {
    const [part, key] = path.split(".");
    layout[part] = {...layout[part], [key]: value};
  }
  return layout;
}

/** One plot at a time, so that the page can be read and clicked while the rest is drawn. */
function drawNext(waiting) {
  const place = waiting.shift();
  if (!place) return;
  const {data, layout} = JSON.parse(place.querySelector("script").textContent);
  Plotly.newPlot(place, data, inkIn(layout), {responsive: true, displaylogo: false}).then(() => setTimeout(drawNext, 0, waiting));
}

document.getElementById("theme").addEventListener("click", () => {
  document.documentElement.style.colorScheme = isDark() ? "light" : "dark";
  paint();
});
dark.addEventListener("change", paint);
setTimeout(drawNext, 0, [...document.querySelectorAll(".plot")]);  // text and tables are there first
