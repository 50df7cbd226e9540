// Suites, what the model is asked and how it does, and policies, the rules that its answers are held against.
import { get } from "./api.js";
import { el, fill, percent, table } from "./dom.js";
import { jobView, startButton } from "./job.js";
import { reportNode } from "./rounds.js";

export function suitesPart() {
  const found = el("section", { "aria-label": "Results" });
  const asked = el("section", { "aria-label": "What is asked" });
  const trouble = el("p", { class: "bad", role: "alert" });
  const begin = startButton("Ask the model now", "/api/suites", trouble, (started) => job.look(started));
  const job = jobView("evaluation", draw, (yes) => {
    begin.disabled = yes;
  });
  const node = el("div", {}, el("h2", {}, "Suites and rules"),
    el("p", {}, "A suite asks the model and judges its answers. A rule is held against every answer ",
      "that it applies to. Answers are kept: what was asked before is not asked again."),
    el("div", { class: "buttons" }, begin), trouble, job.node, found, asked);

  async function draw() {
    const all = await get("/api/suites");
    fill(found, all.results && resultsNode(all.results));
    fill(asked, all.suites.map(suiteNode), all.rules.length > 0 && [el("h3", {}, "Rules"),
      table("Rules", ["Rule", "Severity", "Text"],
        all.rules.map((r) => [r.id, r.severity, el("span", { class: "free" }, r.text)]))]);
  }

  return {
    node,
    show: () => {
      draw();
      job.show();
    },
    hide: job.hide,
  };
}

const suiteNode = (s) => el("details", { class: "fold" }, el("summary", {}, `${s.name}: ${s.tests.length} tests`),
  table(s.name, ["Asked", "Wanted"],
    s.tests.map((t) => [el("bdi", {}, t.asked), el("bdi", { class: "free" }, t.wanted)])));

// resultsNode shows results.json of instruct eval.
function resultsNode(r) {
  const many = r.candidates.length > 1;
  const rows = r.candidates.flatMap((c) => c.rows.filter((x) => !x.group).map((x) => [x.suite,
    ...(many ? [c.name] : []), String(x.n), percent(x.mean)]));
  const rules = r.candidates.flatMap((c) => (c.rules ?? []).map((x) => [x.rule,
    ...(many ? [c.name] : []), x.severity, String(x.n),
    el("span", { class: x.held < x.n ? "bad" : "good" }, String(x.held))]));
  const broken = r.candidates.flatMap((c) => (c.rules ?? []).flatMap((x) => x.violations.map((v) =>
    el("li", {}, el("span", { class: "bad" }, v.rule), ` by the answer to ${v.test}: ${v.reason}`))));
  return [el("h3", {}, "What was found"),
    rows.length > 0 && table("Suites", ["Suite", ...(many ? ["Model"] : []), "#Tests", "#Passed"], rows),
    (r.comparisons ?? []).map((c) => el("p", {}, `${c.suite}: the first model passes ${c.fixed.length} tests `
      + `that ${c.with} does not, and fails ${c.lost.length} that it passes.`)),
    rules.length > 0 && table("Rules", ["Rule", ...(many ? ["Model"] : []), "Severity", "#Answers", "#Held"], rules),
    broken.length > 0 && el("ul", { class: "waiting" }, broken),
    reportNode("/api/suites/report", "Every answer")];
}
