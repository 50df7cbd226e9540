// A chart of lines over steps, as SVG. Arrow keys and the pointer read values.
import { el, fill } from "./dom.js";

const svg = (tag, props, ...children) => el(tag, { ...props, svg: true }, ...children);
const left = 56, right = 8, top = 8, bottom = 22, height = 190;
const mostPoints = 600; // of a line; more lie closer than a pixel

// number is a value for people.
export const number = (v, digits = 4) => (v === 0 ? "0" : Math.abs(v) < 1e-3 || Math.abs(v) >= 1e5
  ? v.toExponential(digits - 2) : String(Number(v.toPrecision(digits))));

// chart draws lines: {name, color (its number), points: [[step, value], ...], smooth}. draw gives it new ones.
export function chart(title) {
  const drawing = el("svg", { role: "img", "aria-label": title, tabindex: "0", height: String(height) });
  const reading = el("p", { class: "label reading", "aria-live": "polite" });
  const node = el("figure", { class: "chart" }, el("figcaption", {}, title), drawing, reading);
  let lines = [], log = false, at = null, scale = null;

  function draw() {
    const width = Math.max(240, node.clientWidth || 320);
    drawing.setAttribute("viewBox", `0 0 ${width} ${height}`);
    drawing.setAttribute("width", String(width));
    const shown = lines.map((l) => ({ ...l, points: l.points.filter(([, v]) => !log || v > 0) }))
      .filter((l) => l.points.length > 0);
    const all = shown.flatMap((l) => l.points);
    scale = null;
    if (all.length === 0) {
      fill(drawing, svg("text", { x: left, y: height / 2, class: "axis" }, "nothing yet"));
      reading.textContent = "";
      return;
    }
    const steps = bounds(all.map((p) => p[0])), values = bounds(all.map((p) => (log ? Math.log10(p[1]) : p[1])));
    const x = (s) => left + (width - left - right) * (s - steps.low) / (steps.high - steps.low);
    const share = (v) => ((log ? Math.log10(v) : v) - values.low) / (values.high - values.low);
    const y = (v) => height - bottom - (height - top - bottom) * share(v);
    scale = { x, y, steps, width, shown };
    const path = (points) => "M" + points.map(([s, v]) => `${x(s).toFixed(1)} ${y(v).toFixed(1)}`).join("L");
    const marks = [0, 0.5, 1].map((f) => values.low + f * (values.high - values.low)).map((v) => (log ? 10 ** v : v));
    fill(drawing,
      marks.map((v) => [svg("line", { x1: left, x2: width - right, y1: y(v), y2: y(v), class: "grid" }),
        svg("text", { x: left - 6, y: y(v) + 4, class: "axis end" }, number(v, 3))]),
      svg("text", { x: left, y: height - 5, class: "axis" }, String(steps.low)),
      svg("text", { x: width - right, y: height - 5, class: "axis end" }, `step ${steps.high}`),
      shown.map((l) => {
        const few = thin(l.points), smooth = l.smooth && l.points.length > 20;
        const color = `c${l.color % 8}`, look = `line ${color}${l.color > 7 ? " dashed" : ""}`;
        return [svg("path", { d: path(few), class: smooth ? look + " faint" : look }),
          smooth && svg("path", { d: path(thin(smoothed(l.points))), class: look }),
          few.length < 40 && few.map(([s, v]) => svg("circle", { cx: x(s), cy: y(v), r: 2.5, class: "dot " + color }))];
      }));
    read();
  }

  // read says the values nearest to the step that was chosen.
  function read() {
    drawing.querySelector(".at")?.remove();
    if (at === null || !scale) {
      reading.textContent = "";
      return;
    }
    drawing.append(svg("line", { class: "at", x1: scale.x(at), x2: scale.x(at), y1: top, y2: height - bottom }));
    fill(reading, `step ${at}: `, scale.shown.map((l, i) => [i > 0 && ", ",
      el("span", { class: `name c${l.color % 8}` }, l.name), " ", number(nearest(l.points, at)[1])]));
  }
  const keys = (event) => {
    if (!scale) return;
    const { low, high } = scale.steps, by = Math.max(1, Math.round((high - low) / 50));
    const to = { ArrowRight: (at ?? low) + by, ArrowLeft: (at ?? high) - by, Home: low, End: high,
      Escape: null }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    at = to === null ? null : Math.min(high, Math.max(low, to));
    read();
  };
  drawing.addEventListener("keydown", keys);
  drawing.addEventListener("pointermove", (event) => {
    if (!scale) return;
    const box = drawing.getBoundingClientRect(), { low, high } = scale.steps;
    const share = ((event.clientX - box.left) * scale.width / box.width - left) / (scale.width - left - right);
    at = Math.round(low + Math.min(1, Math.max(0, share)) * (high - low));
    read();
  });
  drawing.addEventListener("pointerleave", () => {
    at = null;
    read();
  });
  new ResizeObserver(draw).observe(node);
  return { node, draw: (next, logarithmic) => {
    [lines, log] = [next, logarithmic];
    draw();
  } };
}

function bounds(values) {
  let low = Infinity, high = -Infinity;
  for (const v of values) [low, high] = [Math.min(low, v), Math.max(high, v)];
  return low === high ? { low: low - (Math.abs(low) / 2 || 1), high: high + (Math.abs(high) / 2 || 1) } : { low, high };
}

// thin keeps the least and the largest value of each of so many parts of a line, so that no peak is lost.
function thin(points) {
  if (points.length <= mostPoints) return points;
  const out = [], size = Math.ceil(2 * points.length / mostPoints);
  for (let i = 0; i < points.length; i += size) {
    const part = points.slice(i, i + size);
    const low = part.reduce((a, b) => (b[1] < a[1] ? b : a)), high = part.reduce((a, b) => (b[1] > a[1] ? b : a));
    out.push(...(low === high ? [low] : low[0] < high[0] ? [low, high] : [high, low]));
  }
  return out;
}

// smoothed is the mean of the last fortieth of a line at each of its points.
export function smoothed(points) {
  const n = Math.max(2, Math.floor(points.length / 40));
  let sum = 0;
  return points.map(([s, v], i) => {
    sum += v;
    if (i >= n) sum -= points[i - n][1];
    return [s, sum / Math.min(n, i + 1)];
  });
}

function nearest(points, step) {
  let low = 0, high = points.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (points[middle][0] <= step) low = middle;
    else high = middle;
  }
  return step - points[low][0] <= points[high][0] - step ? points[low] : points[high];
}
