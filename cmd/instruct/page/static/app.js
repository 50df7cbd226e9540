// The page: one part at a time, chosen by what stands behind # in the address.
import { get } from "./api.js";
import { el, fill } from "./dom.js";
import { chatPart } from "./chat.js";
import { roundsPart } from "./rounds.js";
import { runsPart } from "./runs.js";
import { suitesPart } from "./suites.js";

// parts are all of them: its name, its title, whether this server has it, and what makes it. A part that was made
// stays, so that nothing is lost on the way to another one; show and hide are told when it comes and goes.
const parts = [
  { name: "chat", title: "Chat", has: () => true, make: chatPart },
  { name: "rounds", title: "Rounds", has: (about) => about.rounds, make: roundsPart },
  { name: "runs", title: "Runs", has: (about) => about.runs, make: runsPart },
  { name: "suites", title: "Suites", has: (about) => about.suites, make: suitesPart },
];

const main = document.getElementById("main");
const nav = document.getElementById("nav");
const trouble = document.getElementById("trouble");

function complain(error) {
  trouble.textContent = error.message;
  trouble.hidden = false;
}

async function begin() {
  const about = await get("/api/page");
  const here = parts.filter((p) => p.has(about));
  document.getElementById("title").textContent = about.models[0].name;
  document.title = about.models[0].name + " – instruct";
  if (here.length > 1) {
    fill(nav, here.map((p) => {
      p.link = el("a", { href: "#" + p.name }, p.title);
      return p.link;
    }));
  }
  let shown = null;
  const show = (moved) => {
    const part = here.find((p) => "#" + p.name === location.hash) ?? here[0];
    if (part === shown) return;
    shown?.made.hide?.();
    part.made ??= part.make(about);
    shown = part;
    for (const p of here) {
      if (p === part) p.link?.setAttribute("aria-current", "page");
      else p.link?.removeAttribute("aria-current");
    }
    fill(main, part.made.node);
    part.made.show?.();
    if (moved) main.focus({ preventScroll: true });
  };
  addEventListener("hashchange", () => show(true));
  show(false);
}

addEventListener("unhandledrejection", (event) => {
  event.preventDefault();
  complain(event.reason);
});
begin().catch(complain);
