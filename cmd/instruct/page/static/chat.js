// Chat with one model, or with two side by side. The conversation goes on with the answer that was accepted: as it was
// given, or as it was corrected.
import { chat, post } from "./api.js";
import { button, el, field, fill } from "./dom.js";
import { correctForm } from "./correct.js";
import { rowsView } from "./rows.js";
import { whyView } from "./why.js";

export function chatPart(about) {
  const turns = []; // {asked, answers: [{text, tokens, made, ...}], accepted: which answer}
  const made = []; // answers with a correction, in the order of the file
  let stop = null; // ends the answers that are being made
  const usual = "as the server was told";
  const system = el("textarea", { rows: "2", placeholder: about.models[0].system || usual });
  const temperature = el("input", { type: "number", min: "0", max: "2", step: "0.1", placeholder: usual });
  const seed = el("input", { type: "number", min: "0", step: "1", placeholder: usual });
  const log = el("div", { class: "log" });
  const input = el("textarea", {
    rows: "2", placeholder: "Ask something", "aria-label": "Message to the model",
    onkeydown: (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      send();
    },
  });
  const sendButton = el("button", { type: "submit", class: "main" }, "Send");
  const stopButton = button("Stop", () => stop?.abort(), { hidden: true });
  const said = el("p", { class: "label", role: "status" });

  // messages is the conversation before a turn, with what was asked in it.
  function messages(upTo) {
    const list = system.value.trim() ? [{ role: "system", content: system.value.trim() }] : [];
    for (const t of turns.slice(0, upTo)) {
      const a = t.answers[t.accepted];
      list.push({ role: "user", content: t.asked }, { role: "assistant", content: a.made?.wanted ?? a.text });
    }
    list.push({ role: "user", content: turns[upTo].asked });
    return list;
  }

  async function send() {
    const asked = input.value.trim();
    if (asked === "" || stop) return;
    input.value = "";
    const answers = about.models.map((m, model) => ({ model, of: m, text: "", tokens: [] }));
    const turn = { asked, answers, accepted: 0 };
    turns.push(turn);
    turn.prompt = messages(turns.length - 1);
    turn.node = turnNode(turn);
    log.append(turn.node);
    turn.node.scrollIntoView({ block: "nearest" });
    stop = new AbortController();
    busy(true);
    await Promise.all(turn.answers.map((a) => answer(turn, a)));
    stop = null;
    busy(false);
    said.textContent = "The answer is there.";
    turn.node.scrollIntoView({ block: "nearest" });
  }

  function busy(yes) {
    sendButton.disabled = yes;
    stopButton.hidden = !yes;
    if (yes) said.textContent = "The model is answering …";
  }

  async function answer(turn, a) {
    try {
      const request = { messages: turn.prompt };
      if (temperature.value !== "") request.temperature = Number(temperature.value);
      if (seed.value !== "") request.seed = Number(seed.value);
      const finish = await chat(a.of.chat, request, stop.signal, (text, tokens) => {
        a.text += text;
        a.tokens.push(...tokens);
        a.box.textContent = a.text;
      });
      if (finish === "length") {
        a.cut = true;
        a.notice = "It was cut: it reached the most tokens.";
      }
    } catch (error) {
      if (error.name === "AbortError") {
        a.cut = true;
        a.notice = "It was stopped.";
      } else a.error = error.message;
    }
    a.done = true;
    drawAnswer(turn, a);
  }

  function turnNode(turn) {
    for (const a of turn.answers) {
      a.node = el("div", { class: "answer" });
      drawAnswer(turn, a);
    }
    return el("section", { class: "turn", "aria-label": "Question and answer" },
      el("div", { class: "asked text", dir: "auto" }, turn.asked),
      el("div", { class: "answers" }, turn.answers.map((a) => a.node)));
  }

  const redraw = (turn) => turn.answers.forEach((a) => drawAnswer(turn, a));

  function drawAnswer(turn, a) {
    const two = turn.answers.length > 1;
    const accepted = turn.accepted === a.model;
    a.box = el("div", { class: "text", dir: "auto", "aria-busy": String(!a.done) }, a.text);
    a.node.classList.toggle("accepted", accepted && (two || !!a.accepted || !!a.made));
    const parts = [el("div", { class: "label" }, a.of.name,
      a.made ? " said" : "", accepted && (two || a.accepted) ? el("span", { class: "good" }, " ✓ accepted") : "")];
    parts.push(a.box);
    if (a.done && a.text === "" && !a.error) a.box.append(el("i", { class: "soft" }, "nothing"));
    if (a.error) parts.push(el("p", { class: "bad", role: "alert" }, a.error));
    if (a.notice) parts.push(el("div", { class: "label" }, a.notice));
    if (a.made) {
      parts.push(el("div", { class: "pass" }, el("div", { class: "label" }, "should have said"),
        el("div", { class: "text", dir: "auto" }, a.made.wanted)));
      if (a.made.note) parts.push(el("div", { class: "label" }, "Note: ", a.made.note));
      parts.push(el("div", { class: "label" }, `In ${a.made.file}, for the next round.`));
    }
    if (a.done && !a.error) parts.push(answerButtons(turn, a));
    a.below = el("div");
    parts.push(a.below);
    fill(a.node, parts);
  }

  function answerButtons(turn, a) {
    const last = made.at(-1) === a;
    const again = (name) => a.node.querySelector(`button[data-name="${name}"]`)?.focus();
    const accept = () => {
      turn.accepted = a.model;
      a.accepted = true;
      redraw(turn);
      input.focus();
    };
    const edit = () => {
      const left = () => {
        drawAnswer(turn, a);
        again("edit");
      };
      const saved = (c) => {
        if (!a.made) made.push(a);
        a.made = c;
        turn.accepted = a.model;
        turns.forEach(redraw); // only the last correction can be changed
        again("edit");
      };
      const said = { model: a.model, prompt: turn.prompt, answer: a.text, made: a.made };
      const { form, focus } = correctForm(about, said, saved, left);
      fill(a.below, form);
      focus();
    };
    const undo = async () => {
      try {
        await post("/api/corrections/undo", { id: a.made.id });
      } catch (error) {
        fill(a.below, el("p", { class: "bad", role: "alert" }, error.message));
        return;
      }
      made.pop();
      a.made = null;
      turns.forEach(redraw);
      again("edit");
    };
    const why = (event) => {
      const open = event.currentTarget.getAttribute("aria-expanded") !== "true";
      event.currentTarget.setAttribute("aria-expanded", String(open));
      const first = turn.prompt.filter((m) => m.role !== "system").length === 1;
      fill(a.below, open && [whyView(a.tokens), a.of.rows && first && rowsView(turn.prompt, a.text, a.cut)]);
    };
    return el("div", { class: "buttons" },
      button(turn.answers.length > 1 ? "Go on with this" : "Accept", accept, { "data-name": "accept" }),
      a.of.corrections && (!a.made || last) &&
        button(a.made ? "Edit the correction" : "Edit and note", edit, { "data-name": "edit" }),
      last && button("Undo the correction", undo, { "data-name": "undo" }),
      a.tokens.length > 0 && button("Why?", why, { "data-name": "why", "aria-expanded": "false" }));
  }

  const reset = () => {
    stop?.abort();
    turns.length = 0;
    fill(log);
    said.textContent = "The conversation starts anew.";
    input.focus();
  };
  const form = el("form", { class: "say", onsubmit: (event) => {
    event.preventDefault();
    send();
  } }, input, el("div", { class: "buttons" }, sendButton, stopButton, button("Start anew", reset)), said);
  const settings = el("details", { class: "settings" }, el("summary", {}, "Settings"),
    field("System prompt", system, "What the model is told before the conversation."),
    field("Temperature", temperature, "0: always the likeliest answer. Higher: more varied."),
    field("Seed", seed, "With a temperature above 0, another seed gives another answer."));
  const node = el("div", { class: "chat" }, settings, log, form);
  return { node, show: () => input.focus() };
}
