"""Renders the conversations of builtin_templates.jsonl again with transformers, from ../templates/*.jinja, and writes the
file anew: text, trained parts (the bodies of the generation blocks) or the refusal. Made with transformers 5.23."""
import json
import pathlib

from transformers.utils.chat_template_utils import render_jinja_template

here = pathlib.Path(__file__).parent
path = here / "builtin_templates.jsonl"
out = []
for line in path.read_text(encoding="utf8").splitlines():
    row = json.loads(line)
    new = {k: row[k] for k in ("template", "messages", "tools", "prompt") if k in row}
    source = (here.parent / "templates" / (row["template"] + ".jinja")).read_text(encoding="utf8")
    try:
        texts, spans = render_jinja_template(
            [row["messages"]], tools=row.get("tools"), chat_template=source, return_assistant_tokens_mask=True,
            add_generation_prompt=row["prompt"], bos_token="<s>", eos_token="</s>")
        new["text"] = texts[0]
        new["trained"] = [texts[0][a:b] for a, b in spans[0]]
    except Exception as e:
        new["error"] = str(e)
    out.append(json.dumps(new, ensure_ascii=False))
path.write_text("\n".join(out) + "\n", encoding="utf8")
