// The form in which a person says what an answer should have been.
import { post } from "./api.js";
import { button, el, field } from "./dom.js";

const lines = (text) => text.split("\n").map((l) => l.trim()).filter((l) => l !== "");

// correctForm edits the correction of an answer: {model, prompt, answer, made}, where made is the correction so far.
// saved(correction) is told what was saved, left() that it was not.
export function correctForm(about, { model, prompt, answer, made }, saved, left) {
  const wanted = el("textarea", { rows: "4", value: made?.wanted ?? answer });
  const note = el("input", { type: "text", value: made?.note ?? "" });
  const also = el("textarea", { rows: "2", value: (made?.paraphrases ?? []).join("\n") });
  const near = el("textarea", { rows: "2", value: (made?.near ?? []).join("\n") });
  const rule = el("select", {}, el("option", { value: "" }, "none"),
    about.rules.map((id) => el("option", { value: id }, id)));
  rule.value = made?.rule ?? "";
  const trouble = el("p", { class: "bad", role: "alert" });
  const more = el("details", { open: !!(made?.paraphrases?.length || made?.near?.length || made?.rule) },
    el("summary", {}, "More, which makes it learn better"),
    field("Other ways to ask the same", also, "One a line. The answer is to be the same for all of them."),
    field("What only looks alike", near, "One a line. The answers to these are to stay as they are."),
    about.rules.length > 0 && field("Rule that the answer broke", rule));
  async function save() {
    const c = { wanted: wanted.value, note: note.value, rule: rule.value,
      paraphrases: lines(also.value), near: lines(near.value) };
    try {
      const { id, file } = await post("/api/corrections", { ...c, model, prompt, answer, replaces: made?.id ?? "" });
      saved({ ...c, wanted: c.wanted.trim(), id, file });
    } catch (error) {
      trouble.textContent = error.message;
    }
  }
  const form = el("form", {
    class: "correct",
    onsubmit: (event) => {
      event.preventDefault();
      save();
    },
    onkeydown: (event) => {
      if (event.key === "Escape") left();
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) save();
    },
  },
  field("What it should have said", wanted),
  field("Note", note, "The reason, in your words. It is kept with the correction."),
  more, trouble,
  el("div", { class: "buttons" }, el("button", { type: "submit", class: "main" }, "Save the correction"),
    button("Cancel", left)));
  return { form, focus: () => wanted.focus() };
}
