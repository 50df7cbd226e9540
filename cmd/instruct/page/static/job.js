// What a command that runs on the server says, until it ends.
import { get, post } from "./api.js";
import { button, el, fill, span } from "./dom.js";

const names = { round: "The round", evaluation: "The evaluation", rows: "The search for rows" };

// jobView shows the last command of a kind. ended(job) is told once when one ends that was seen running, or that was
// started here, however soon it ends, and running(yes) whether any command runs.
export function jobView(kind, ended, running) {
  const node = el("div", { class: "job", hidden: true });
  let open = false, timer = 0, seen = false, shown = "";
  async function look(started = false) {
    clearTimeout(timer);
    seen = seen || started;
    const job = await get("/api/job");
    if (!open) return;
    running(!!job?.running);
    if (job && job.kind === kind) draw(job);
    else node.hidden = true;
    if (job?.running) {
      seen = seen || job.kind === kind;
      timer = setTimeout(() => look(), 700);
    } else if (seen) {
      seen = false;
      ended(job);
    }
  }
  function draw(job) {
    const text = JSON.stringify([job.lines, job.running, Math.floor(job.seconds)]);
    if (text === shown) return;
    shown = text;
    node.hidden = false;
    const stopped = document.activeElement?.dataset.name === "stop";
    const bar = el("progress", { "aria-label": "Progress" });
    if (job.of > 0) [bar.max, bar.value] = [job.of, job.done];
    const last = job.lines.at(-1) ?? "";
    fill(node,
      el("div", { class: "row" },
        el("b", { role: "status" }, job.running ? `${names[kind]} is at work` : `${names[kind]} has ended`
          + (job.code === 130 ? ", as it was stopped" : job.code === 2 ? " with a mistake" : "")),
        el("span", { class: "soft" }, span(job.seconds)),
        job.running && button("Stop", () => post("/api/job/stop"), { "data-name": "stop" })),
      job.running && bar,
      (job.running || job.code !== 0 || kind === "round") && el("p", { class: job.code === 2 ? "bad" : "" }, last),
      el("details", { open: node.querySelector("details")?.open }, el("summary", {}, "Everything that it said"),
        el("pre", { class: "text", tabindex: "0" }, job.lines.join("\n"))));
    if (stopped) node.querySelector('[data-name="stop"]')?.focus();
  }
  return {
    node, look,
    show: (started) => {
      open = true;
      return look(started);
    },
    hide: () => {
      open = false;
      clearTimeout(timer);
    },
  };
}

// startButton is a button that starts a command at an address; what is wrong with that goes to trouble. look(started)
// looks at the job.
export function startButton(text, address, trouble, look) {
  const start = button(text, async () => {
    trouble.textContent = "";
    start.disabled = true;
    let started = false;
    try {
      await post(address);
      started = true;
    } catch (error) {
      trouble.textContent = error.message;
    }
    await look(started);
  }, { class: "main" });
  return start;
}
