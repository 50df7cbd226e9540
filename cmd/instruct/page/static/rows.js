// Which training rows taught an answer: looked for by a command, which takes a while.
import { post } from "./api.js";
import { button, el, fill } from "./dom.js";
import { jobView } from "./job.js";
import { reportNode } from "./rounds.js";

// rowsView looks for the rows behind the answer to a conversation that has one question. cut: the answer has no end.
export function rowsView(prompt, answer, cut = false) {
  const trouble = el("p", { class: "bad", role: "alert" });
  const found = el("div");
  let report = 0;
  const job = jobView("rows", (ended) => {
    if (ended.code === 0) fill(found, reportNode(`/api/rows/${report}/report`, "The rows that taught it"));
  }, (yes) => {
    begin.disabled = yes;
  });
  const begin = button("Which rows taught it?", async () => {
    trouble.textContent = "";
    fill(found);
    try {
      report = (await post("/api/rows", { prompt, answer, cut })).report;
      await job.show(true);
    } catch (error) {
      trouble.textContent = error.message;
    }
  });
  return el("div", {}, el("p", {}, "The model learned its answers from rows of training data. ",
    "To find those behind this answer, it is looked how each row's likelihood moves with the answer's: it takes as long as ",
    "a few evaluations of all of them."),
  el("div", { class: "buttons" }, begin), trouble, job.node, found);
}
