"""What is exported as GGUF, under llama.cpp: log-probabilities, greedy answers and token ids beside those of `instruct`.

    python docs/experiments/under_llama_cpp.py --instruct ./instruct --model runs/mine --work DIR [--types f32,f16,q8_0]
        [--text FILE] [--tokens 200] [--prompts FILE] [--strings FILE] [--adapter runs/lora]

Needs llama-cpp-python 0.3.36 and numpy. The model is exported in each type and its file is loaded with a key-value cache of
float32 and without flash attention; --half_cache takes llama.cpp's own choice, a cache of halves.

Log-probabilities are those of the first --tokens tokens of a text, and they are held against two things: `instruct score`
on the model, which is what the format costs and what llama.cpp does together, and `instruct score` on the very file, which
is what llama.cpp does alone: it rounds activations too, to halves for f16 and to blocks of 8 bits for q8_0, which `score`
does not. That this is all of it is seen from the file's values written as float32 and read by llama.cpp again.

Greedy answers are to --prompts (a prompt a line), put into the model's chat template by `instruct generate` (as plain text
where it has none), with q8_0 from `--dtype q8_0` on the model and the other types from the file. --strings is a JSON file,
a list of {"text", "ids"}: on how many does llama.cpp's tokenizer, from the file, give these ids. --adapter exports an adapter
of --model by itself and merged, f32, and compares both under llama.cpp.
"""

import argparse
import gc
import json
import os
import subprocess
import unicodedata

import llama_cpp
import numpy as np

TEXT = ("A lighthouse keeper wrote down the weather every morning. On the first day of March the wind came from the north, "
        "the sea was grey, and 14 ships passed before noon. In the evening he lit the lamp, ate bread and soup, and read a book "
        "about the stars. \"How far is it to the moon?\" he asked his daughter, who was nine years old. She said that it was "
        "384,400 kilometres, and that a train at 100 km/h would need about 160 days. He laughed, because no train he knew had "
        "ever been on time.\n\nfor i in range(10):\n    if i % 2 == 0:\n        print(i, i * i)\n\nThe next morning the fog "
        "was so thick that he could not see the rocks below the tower. He rang the bell once a minute, as the rules demanded, "
        "and waited. At ten o'clock a small boat appeared, with two men in it who had lost their way. They were cold and "
        "hungry; he gave them tea, dry clothes and a map. ")
PROMPTS = ["What is the capital of France?", "Rewrite the sentence in the past tense: She walks to school.",
           "Name three primary colours.", "What is 7 plus 5?", "Write one sentence about the sea."]
ANSWER = 32  # tokens of a greedy answer


class Instruct:
    """Runs the built program."""

    def __init__(self, path):
        self.path = path

    def lines(self, *args, stdin=None):
        done = subprocess.run([self.path, *args], input=stdin, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(done.stderr.strip())
        return [json.loads(line) for line in done.stdout.splitlines()]

    def score(self, model, text, dtype="fp32"):
        return self.lines("score", "--model", model, "--dataset", text, "--dtype", dtype, "--json")[0]

    def generate(self, model, dtype, prompts):
        args = ["generate", "--model", model, "--dtype", dtype, "--json", "--max_new_tokens", str(ANSWER)]
        try:
            return self.lines(*args, stdin="\n".join(prompts) + "\n")
        except SystemExit as e:
            if "template" not in str(e):
                raise
            return self.lines(*args, "--raw", stdin="\n".join(prompts) + "\n")

    def export(self, model, out, *args):
        if not os.path.exists(out):
            done = subprocess.run([self.path, "export", model, "--to", "gguf", "--out", out, *args], capture_output=True, text=True)
            if done.returncode:
                raise SystemExit(done.stderr.strip())
        return out


def load(path, half, **more):
    cache = {} if half else dict(type_k=llama_cpp.GGML_TYPE_F32, type_v=llama_cpp.GGML_TYPE_F32)
    return llama_cpp.Llama(model_path=path, n_ctx=512, logits_all=True, verbose=False, n_threads=1, n_threads_batch=1,
                           flash_attn=False, **cache, **more)


def logprobs(llm, ids):
    """Of every token but the first."""
    llm.reset()
    llm.eval(ids)
    z = np.array(llm.scores[:len(ids)], dtype=np.float64)
    z -= np.logaddexp.reduce(z, axis=1, keepdims=True)
    return z[np.arange(len(ids) - 1), ids[1:]]


def greedy(llm, ids):
    """The answer's ids: until the file's eos, which is not among them, or ANSWER tokens."""
    llm.reset()
    llm.eval(ids)
    out = []
    while len(out) < ANSWER:
        best = int(np.argmax(llm.scores[llm.n_tokens - 1]))
        if best == llm.token_eos():
            break
        out.append(best)
        llm.eval([best])
    return out


def apart(a, b):
    d = np.abs(np.asarray(a) - np.asarray(b))
    return f"{d.max():.1e} (mean {d.mean():.1e})"


def first(row, n):
    """The first n ids of a row and the log-probabilities of all of them but the very first."""
    ids = row["ids"][:n]
    if row["mask"][:len(ids)] != [0] + [1] * (len(ids) - 1):
        raise SystemExit("the text has tokens that are not trained: give another --text")
    return ids, row["logprobs"][:len(ids) - 1]


def show_answers(llm, ours):
    same = 0
    for row in ours:
        got = greedy(llm, row["prompt_ids"])
        if got == row["ids"]:
            same += 1
            continue
        at = next((i for i, (a, b) in enumerate(zip(got, row["ids"])) if a != b), min(len(got), len(row["ids"])))
        text = llm.detokenize(got).decode("utf-8", "replace")
        print(f"    {row['prompt']!r}: they part at token {at + 1}\n      ours      {row['text']!r}\n      llama.cpp {text!r}")
    print(f"  greedy answers equal: {same} of {len(ours)}")


def show_tokens(llm, path):
    texts = json.load(open(path))
    others = [t["text"] for t in texts
              if llm.tokenize(t["text"].encode("utf-8", "surrogatepass"), add_bos=False, special=True) != t["ids"]]
    composed = sum(unicodedata.normalize("NFC", text) != text for text in others)
    print(f"  token ids equal: {len(texts) - len(others)} of {len(texts)}; of the others {composed} are not in NFC")


def show_type(o, ours, kind, text, row):
    path = ours.export(o.model, os.path.join(o.work, kind + ".gguf"), "--type", kind)
    ids, want = first(row, o.tokens)
    back, read = first(ours.score(path, text), o.tokens)
    if back != ids:
        raise SystemExit(f"{path}: this program reads another tokenizer from it")
    answers = ours.generate(o.model if kind == "q8_0" else path, "q8_0" if kind == "q8_0" else "fp32", o.lines)
    values = None
    if kind != "f32":
        wide = ours.export(path, os.path.join(o.work, kind + "-as-f32.gguf"), "--type", "f32")
        llm = load(wide, o.half_cache)
        values = logprobs(llm, ids)
        del llm
        os.remove(wide)
    llm = load(path, o.half_cache)
    got = logprobs(llm, ids)
    print(f"{kind}: {len(got)} log-probabilities, mean loss {-np.mean(got):.5f}, ours {-np.mean(want):.5f} of the model and "
          f"{-np.mean(read):.5f} of the file")
    print(f"  llama.cpp and the model {apart(got, want)}; llama.cpp and the file {apart(got, read)}; "
          f"file and model {apart(read, want)}", flush=True)
    if values is not None:
        print(f"  llama.cpp on the file's values in float32, and the file {apart(values, read)}")
    if kind == "q8_0":
        _, low = first(ours.score(o.model, text, "q8_0"), o.tokens)
        print(f"  llama.cpp and the model with --dtype q8_0 {apart(got, low)}; that and the file {apart(low, read)}")
    show_answers(llm, answers)
    if o.strings:
        show_tokens(llm, o.strings)
    del llm
    gc.collect()
    if not o.keep:
        os.remove(path)


def show_adapter(o, ours, text):
    """An adapter's file on its base, and the two merged, under llama.cpp; and `instruct score` on the adapter."""
    base = ours.export(o.model, os.path.join(o.work, "base.gguf"), "--type", "f32")
    adapter = ours.export(o.adapter, os.path.join(o.work, "adapter.gguf"), "--type", "f32")
    merged = ours.export(o.adapter, os.path.join(o.work, "merged.gguf"), "--type", "f32", "--merge")
    ids, want = first(ours.score(o.adapter, text), o.tokens)
    answers = ours.generate(o.adapter, "fp32", o.lines)
    got = {}
    for name, path, more in (("base", base, {}), ("adapter", base, {"lora_path": adapter}), ("merged", merged, {})):
        llm = load(path, o.half_cache, **more)
        got[name] = logprobs(llm, ids), [greedy(llm, row["prompt_ids"]) for row in answers]
        del llm
        gc.collect()
    same = sum(a == b for a, b in zip(got["adapter"][1], got["merged"][1]))
    print(f"adapter on its base, {len(want)} log-probabilities: from the merged model {apart(got['adapter'][0], got['merged'][0])}, "
          f"from ours {apart(got['adapter'][0], want)}, from the base alone {apart(got['adapter'][0], got['base'][0])}")
    print(f"  greedy answers of the adapter and of the merged model equal: {same} of {len(answers)}")
    if not o.keep:
        for path in (base, adapter, merged):
            os.remove(path)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--instruct", required=True)
    p.add_argument("--model", required=True)
    p.add_argument("--work", required=True, help="folder for the files, and for what is kept")
    p.add_argument("--types", default="f32,f16,q8_0")
    p.add_argument("--text", help="a text file; without it, a text of the script")
    p.add_argument("--tokens", type=int, default=200)
    p.add_argument("--prompts", help="a file with a prompt a line; without it, five of the script")
    p.add_argument("--strings", help="a JSON file with texts and their ids")
    p.add_argument("--adapter", help="an adapter of --model")
    p.add_argument("--half_cache", action="store_true", help="a key-value cache of halves")
    p.add_argument("--keep", action="store_true", help="keep the GGUF files")
    o = p.parse_args()
    os.makedirs(o.work, exist_ok=True)
    o.lines = open(o.prompts).read().splitlines() if o.prompts else PROMPTS
    text = os.path.join(o.work, "text.jsonl")
    with open(text, "w") as f:
        json.dump({"text": open(o.text).read() if o.text else TEXT}, f)
    ours = Instruct(os.path.abspath(o.instruct))
    row = ours.score(o.model, text)
    for kind in filter(None, o.types.split(",")):
        show_type(o, ours, kind, text, row)
    if o.adapter:
        show_adapter(o, ours, text)


if __name__ == "__main__":
    main()
