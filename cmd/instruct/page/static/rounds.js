// The rounds of a behaviour folder: what was taught, what became of it, and the next one.
import { get, post } from "./api.js";
import { button, el, fill, moment, span } from "./dom.js";
import { jobView, startButton } from "./job.js";

export function roundsPart(about) {
  const intro = el("p");
  const speaks = el("div");
  const next = el("section", { "aria-label": "The next round" });
  const list = el("section", { "aria-label": "Rounds" });
  const trouble = el("p", { class: "bad", role: "alert" });
  const begin = startButton("Start a round", "/api/rounds", trouble, (started) => job.look(started));
  let atWork = false, canStart = false;
  const job = jobView("round", draw, (yes) => {
    atWork = yes;
    begin.disabled = atWork || !canStart;
  });
  const node = el("div", {}, el("h2", {}, "Rounds"), intro, speaks, next, job.node, list);

  // talk loads the current round's model beside the first one.
  async function talk(event) {
    event.currentTarget.disabled = true;
    fill(speaks, el("p", { role: "status" }, "The model is being loaded …"));
    about.models = (await post("/api/second")).models;
    location.hash = "#chat";
  }

  async function draw() {
    const b = await get("/api/rounds");
    fill(intro, "A round teaches the model of ", el("b", {}, b.name), " what you corrected, ",
      "while its other answers are held in place. ",
      b.begun ? `${b.current ? `Round ${b.current}` : `The model it began with, ${b.base},`} is the current one.`
        : "No round was made yet; the first one begins with the model of the chat.");
    fill(speaks, b.begun && !b.speaks && el("div", { class: "buttons" },
      el("span", {}, "The chat does not talk to it yet."), button("Talk to it in the chat", talk)));
    await drawNext(b);
    fill(list, b.rounds.toReversed().map((r) => roundNode(r, r.round === b.current && r.verdict !== "rolled back to")));
  }

  async function drawNext(b) {
    if (!b.start) {
      fill(next);
      return;
    }
    const waiting = (await get("/api/corrections").catch(() => ({ waiting: [] }))).waiting;
    canStart = waiting.length > 0 || b.policy;
    begin.disabled = atWork || !canStart;
    fill(next,
      el("h3", {}, waiting.length === 0 ? "No corrections wait" : waiting.length === 1
        ? "1 correction waits to be taught" : `${waiting.length} corrections wait to be taught`),
      waiting.length === 0 && el("p", {}, b.policy ? "A round would teach the good examples of the policy."
        : "Correct an answer in the chat first."),
      el("ul", { class: "waiting" }, waiting.map((c) => el("li", {},
        el("bdi", {}, c.asked), " → ", el("bdi", {}, c.wanted),
        c.note && el("span", { class: "soft" }, " · ", c.note)))),
      el("div", { class: "buttons" }, begin), trouble);
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

function roundNode(r, current) {
  if (r.verdict === "rolled back to") {
    return el("p", { class: "label" },
      `${moment(r.time)}: ${r.author} went back to round ${r.round}, from ${r.parent}.`);
  }
  const accepted = r.verdict === "accepted";
  const facts = [];
  if (r.corrections > 0) facts.push(`${r.right} of ${r.corrections} corrections right`);
  if (r.broken > 0) facts.push(el("span", { class: "bad" }, `${r.broken} earlier corrections broken`));
  for (const s of r.suites ?? []) {
    facts.push(el("span", {}, `${s.suite}: ${s.before} → ${s.after} of ${s.tests}`,
      s.lost?.length > 0 && el("span", { class: "bad" }, `, ${s.lost.length} lost`)));
  }
  for (const x of r.rules ?? []) facts.push(`rule ${x.rule}: held ${x.before} → ${x.after} of ${x.answers}`);
  const report = `/api/rounds/${r.round}/report`;
  return el("details", { class: "test round" },
    el("summary", {},
      el("span", { class: accepted ? "marks good" : "marks bad", "aria-hidden": "true" }, accepted ? "✓" : "✗"),
      el("span", { class: "ask" }, el("b", {}, `Round ${r.round}`), ` ${r.verdict}`,
        current && [" ", el("b", { class: "good" }, "· the current one")]),
      el("span", { class: "when soft" }, moment(r.time))),
    el("div", { class: "in" },
      r.reason && el("p", { class: "bad" }, r.reason),
      el("ul", { class: "facts" }, facts.map((f) => el("li", {}, f)),
        el("li", {},
          `by ${r.author}, from ${r.parent ? `round ${r.parent}` : "the first model"}, in ${span(r.seconds)}`)),
      (r.about ?? []).length > 0 && el("ul", { class: "waiting" }, r.about.map((a) => el("li", {}, el("bdi", {}, a)))),
      r.report && reportNode(report, `Report of round ${r.round}`)));
}

// reportNode shows a report below a button, and leads to it.
export function reportNode(address, title) {
  const place = el("div");
  const show = (event) => {
    const open = event.currentTarget.getAttribute("aria-expanded") !== "true";
    event.currentTarget.setAttribute("aria-expanded", String(open));
    fill(place, open && el("iframe", { src: address, title }));
  };
  return el("div", {}, el("div", { class: "buttons" },
    button("Show the report", show, { "aria-expanded": "false" }),
    el("a", { href: address, target: "_blank", rel: "noopener" }, "on a page of its own")), place);
}
