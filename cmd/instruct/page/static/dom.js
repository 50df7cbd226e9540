// Elements. Whatever models, people and files say becomes text, never HTML.

// el makes an element: el("p", {class: "soft", onclick: f}, "text", child, ...). null and false are left out.
export function el(tag, props = {}, ...children) {
  const node = tag === "svg" || props.svg ? document.createElementNS("http://www.w3.org/2000/svg", tag)
    : document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false || name === "svg") continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "value") node.value = value;
    else if (value === true) node.setAttribute(name, "");
    else node.setAttribute(name, value);
  }
  node.append(...children.flat(Infinity).filter((c) => c !== null && c !== undefined && c !== false));
  return node;
}

export const button = (text, onclick, props = {}) => el("button", { type: "button", onclick, ...props }, text);

// fill puts children in the place of what is in node.
export function fill(node, ...children) {
  node.replaceChildren(...children.flat(Infinity).filter((c) => c !== null && c !== undefined && c !== false));
}

let names = 0;
export const unique = (prefix) => `${prefix}-${++names}`;

// field is an input with its label above it, and a line of help.
export function field(label, input, help) {
  const id = unique("field");
  input.id = id;
  if (help) input.setAttribute("aria-describedby", id + "-help");
  return el("div", { class: "field" }, el("label", { for: id }, label), input,
    help && el("div", { class: "label", id: id + "-help" }, help));
}

// table is rows of cells under their names; a cell is text or a node, and "n" before a name aligns numbers.
export function table(caption, head, rows) {
  const right = head.map((h) => h.startsWith("#"));
  return el("div", { class: "wide", tabindex: "0", role: "region", "aria-label": caption },
    el("table", {},
      el("thead", {}, el("tr", {}, head.map((h, i) =>
        el("th", { scope: "col", class: right[i] && "n" }, right[i] ? h.slice(1) : h)))),
      el("tbody", {}, rows.map((cells) => el("tr", {}, cells.map((c, i) =>
        el("td", { class: right[i] ? "n" : i === 0 ? "name" : null }, c)))))));
}

export const percent = (p) => (p >= 0.9995 ? "100 %" : p < 0.0005 ? "below 0.1 %"
  : p < 0.1 ? `${(100 * p).toFixed(1)} %` : `${(100 * p).toFixed(0)} %`);

// span is seconds for people.
export function span(seconds) {
  const s = Math.round(seconds);
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${s % 60} s`;
  return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
}

// moment is a time of RFC 3339 for people.
export const moment = (time) => (time
  ? new Date(time).toLocaleString([], { dateStyle: "medium", timeStyle: "short" }) : "");
