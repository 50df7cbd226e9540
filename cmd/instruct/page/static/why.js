// Why an answer is as it is: how likely the model held each of its tokens, and what else it held likely.
import { el, fill, percent, table } from "./dom.js";

// shown is a token as people can see it: spaces and ends of lines have signs.
const shown = (text) => text.replaceAll("\n", "↵").replaceAll("\t", "⇥").replace(/^ | $/g, "·") || "∅";

// sure is how sure the model was, from 0 (not at all) to 4, for the colour of a token.
const sure = (p) => [0.1, 0.3, 0.6, 0.9].filter((least) => p >= least).length;

// whyView shows the tokens of an answer. Arrow keys go from token to token.
export function whyView(tokens) {
  const detail = el("div", { class: "detail", "aria-live": "polite" });
  const buttons = tokens.map((t, i) => {
    const p = Math.exp(t.logprob);
    const node = el("button", {
      type: "button", class: `token sure${sure(p)}`, tabindex: i === 0 ? "0" : "-1",
      "aria-label": `${shown(t.token)}, ${percent(p)}`, onclick: () => look(i), onfocus: () => look(i),
    }, shown(t.token));
    return t.token.includes("\n") ? [node, el("br")] : node;
  });
  const list = buttons.map((b) => (Array.isArray(b) ? b[0] : b));
  function look(i) {
    const t = tokens[i];
    list.forEach((b, j) => b.setAttribute("tabindex", j === i ? "0" : "-1"));
    list.forEach((b, j) => b.setAttribute("aria-pressed", String(j === i)));
    const all = t.top_logprobs.some((x) => x.token === t.token && x.logprob === t.logprob) ? t.top_logprobs
      : [...t.top_logprobs, t];
    fill(detail,
      el("p", {}, "The model held ", el("b", {}, shown(t.token)),
        ` ${percent(Math.exp(t.logprob))} likely here. It had these in mind:`),
      table("Likeliest tokens here", ["Token", "#Likely", "#Log-probability"], all.map((x) => [
        x.token === t.token ? el("b", {}, shown(x.token) + "  ← said") : shown(x.token),
        percent(Math.exp(x.logprob)), x.logprob.toFixed(3)])));
  }
  const keys = (event) => {
    const i = list.indexOf(document.activeElement);
    const to = { ArrowRight: i + 1, ArrowLeft: i - 1, Home: 0, End: list.length - 1 }[event.key];
    if (i < 0 || to === undefined || !list[to]) return;
    event.preventDefault();
    list[to].focus();
  };
  const mean = tokens.reduce((sum, t) => sum + t.logprob, 0) / Math.max(1, tokens.length);
  return el("div", { class: "why-view" },
    el("p", {}, "An answer is made of tokens, pieces of words, one after the other. ",
      "The darker a token, the surer the model was of it. Choose one to see what else it might have said."),
    el("div", { class: "tokens", role: "toolbar", "aria-label": "Tokens of the answer", onkeydown: keys }, buttons),
    detail,
    el("p", { class: "label" }, `${tokens.length} tokens, ${percent(Math.exp(mean))} likely each (geometric mean).`));
}
