// Runs below a folder, and their curves, which grow while a run trains.
import { get } from "./api.js";
import { chart, number } from "./chart.js";
import { el, fill, moment } from "./dom.js";

// curves are the charts: what they show of a row of metrics.jsonl.
const curves = [
  { key: "loss", title: "Training loss (lower is better; the strong line is smoothed)", smooth: true },
  { key: "eval_loss", title: "Held-out loss (on rows that are not trained)" },
  { key: "learning_rate", title: "Learning rate" },
  { key: "grad_norm", title: "Norm of the gradient", smooth: true },
];
const period = 1500; // ms between two looks
const mostChosen = 3; // of the newest runs, at first

export function runsPart() {
  const known = new Map(); // path -> {path, color, chosen, rows, next}
  let timer = 0, open = false, colors = 0;
  const list = el("tbody");
  const heading = el("p");
  const log = el("input", { type: "checkbox", id: "logarithmic", onchange: redraw });
  const charts = curves.map((c) => ({ ...c, chart: chart(c.title) }));
  const node = el("div", {}, el("h2", {}, "Runs"), heading,
    el("div", { class: "wide", tabindex: "0", role: "region", "aria-label": "Runs" }, el("table", {},
      el("thead", {}, el("tr", {}, ["Run", "State"].map((h) => el("th", { scope: "col" }, h)),
        ["Step", "Loss", "Held-out"].map((h) => el("th", { scope: "col", class: "n" }, h)),
        ["Last row", "Model"].map((h) => el("th", { scope: "col" }, h)))), list)),
    el("p", { class: "scales" }, log, " ", el("label", { for: "logarithmic" }, "logarithmic scales")),
    el("div", { class: "charts" }, charts.map((c) => c.chart.node)));

  async function look() {
    clearTimeout(timer);
    if (!document.hidden) {
      const { runs, all, folder } = await get("/api/runs");
      heading.textContent = all === 0 ? `There are no runs in ${folder} yet.`
        : `${all} in ${folder}, the one that changed last first. Choose which are drawn.`;
      drawList(runs);
      await Promise.all(runs.filter((r) => known.get(r.path).chosen).map((r) => fetchRows(known.get(r.path), r.size)));
      redraw();
    }
    if (open) timer = setTimeout(look, period);
  }

  async function fetchRows(run, size) {
    while (run.next !== size) {
      const got = await get(`/api/runs/metrics?run=${encodeURIComponent(run.path)}&from=${run.next}`);
      if (got.again) run.rows = [];
      run.rows.push(...got.rows);
      run.next = got.next;
      if (!got.more) return;
    }
  }

  function drawList(runs) {
    for (const [i, r] of runs.entries()) {
      if (known.has(r.path)) continue;
      known.set(r.path, { path: r.path, color: colors++, chosen: i < mostChosen, rows: [], next: 0 });
    }
    const line = (r) => {
      const run = known.get(r.path);
      if (!run.line) {
        const box = el("input", { type: "checkbox", "aria-label": `draw ${r.path}`, onchange: () => {
          run.chosen = box.checked;
          look();
        } });
        box.checked = run.chosen;
        run.cells = Array.from({ length: 6 }, (_, i) => el("td", { class: i >= 1 && i <= 3 ? "n" : null }));
        run.line = el("tr", {}, el("td", { class: "name" }, el("label", {}, box, " ",
          el("span", { class: `swatch c${run.color % 8}${run.color > 7 ? " dashed" : ""}` }), " ",
          el("bdi", {}, r.path))), run.cells);
      }
      const state = r.finished ? "done" : Date.now() - Date.parse(r.changed) < 120_000 ? "at work" : "not finished";
      const texts = [state, r.last.step ? `${r.last.step}${r.steps ? ` of ${r.steps}` : ""}` : "",
        r.last.loss === undefined ? "" : number(r.last.loss), r.eval_loss === null ? "" : number(r.eval_loss),
        moment(r.changed), r.model];
      texts.forEach((text, i) => {
        if (run.cells[i].textContent !== text) run.cells[i].textContent = text;
      });
      return run.line;
    };
    const rows = runs.map(line);
    if (rows.length !== list.children.length || rows.some((row, i) => row !== list.children[i])) {
      const focused = document.activeElement;
      fill(list, rows);
      if (list.contains(focused)) focused.focus();
    }
  }

  function redraw() {
    const chosen = [...known.values()].filter((r) => r.chosen);
    for (const c of charts) {
      c.chart.draw(chosen.map((r) => ({ name: r.path, color: r.color, smooth: c.smooth,
        points: r.rows.filter((row) => row[c.key] !== undefined).map((row) => [row.step, row[c.key]]) })), log.checked);
    }
  }

  return {
    node,
    show: () => {
      open = true;
      return look();
    },
    hide: () => {
      open = false;
      clearTimeout(timer);
    },
  };
}
