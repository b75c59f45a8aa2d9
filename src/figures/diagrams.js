{
  const {dimensions, fineness, runs} = JSON.parse(document.getElementById("diagram-data").textContent);
  const [run, layer, step, shown, plot] =
    ["run", "layer", "step", "shown"].map(name => document.getElementById("diagram-" + name))
      .concat(document.getElementById("diagram"));
  const colors = ["#3b7dd8", "#e07b39", "#3a9d6e", "#b65fcf"];
  const every = (packed, first) => packed.filter((_, place) => place % 2 === first).map(value => value / fineness);

  function offer(select, names) {
    const kept = select.value;
    select.replaceChildren(...names.map((name, place) => new Option(name, place)));
    if (kept && kept < names.length) select.value = kept;
  }

  function draw() {
    const from = runs[run.value], steps = from.bars[layer.value];
    step.max = from.steps.length - 1;
    shown.textContent = from.steps[step.value];
    const top = Math.max(1, ...steps.flat(2)) / fineness * 1.03;  // of all steps: the axes stand still
    const traces = dimensions.map((k, place) => {
      const packed = steps[step.value][place];
      return {x: every(packed, 0), y: every(packed, 1), name: `H${k}`, mode: "markers", type: "scatter",
              marker: {size: 6, opacity: 0.7, color: colors[place % colors.length]}};
    });
    traces.push({x: [0, top], y: [0, top], mode: "lines", name: "birth = death", hoverinfo: "skip",
                 line: {dash: "dash", width: 1, color: "#8c8c8c"}});
    const layout = {
      xaxis: {title: {text: "birth / scale"}, range: [-0.02 * top, top]},
      yaxis: {title: {text: "death / scale"}, range: [-0.02 * top, top]},
      margin: {t: 20, l: 60, r: 20},
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", legend: {orientation: "h", y: -0.15},
    };
    Plotly.react(plot, traces, inkIn(layout), {responsive: true, displaylogo: false});
  }

  offer(run, runs.map(one => one.name));
  offer(layer, runs[0].layers);
  run.addEventListener("change", () => { offer(layer, runs[run.value].layers); step.value = 0; draw(); });
  layer.addEventListener("change", draw);
  step.addEventListener("input", draw);
  setTimeout(draw);
}
