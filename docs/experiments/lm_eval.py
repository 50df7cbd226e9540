"""lm-evaluation-harness through `instruct serve`, beside its own Hugging Face backend on the same folder.

    python docs/experiments/lm_eval.py --instruct ./instruct --model SmolLM2.gguf --data instruction-data.json --work DIR [--documents 200] [--generations 100] [--venv DIR/bin]

Needs lm-eval[api] 0.4.13, torch 2.15, transformers 5.23. The model is first written as a Hugging Face folder: a step with learning rate 0. Two tasks
are made of instruction data, in the harness's YAML: `mc`, questions with the right answer and two answers of other rows, and `gen`, the
questions alone. `mc` is asked of the hf backend and of local-completions, which makes token ids itself or (tokenizer_backend=remote) has the
server make them; `gen` of all of these and, with the chat template, of hf and local-chat-completions. Prints the largest difference of the
log-likelihoods, how often is_greedy and the generations are equal, and the accuracies. Last come documents a second: log-likelihoods of
100 tokens each behind a beginning that all share, 8 at one time.
"""

import argparse
import glob
import json
import os
import random
import subprocess
import threading
import time
import urllib.request

INTRO = ("Below are instructions, each with the answer that a careful assistant gave. The answers are short, say what was asked for and "
         "nothing else, and end with a full stop.\n\n") * 4
TASK = """task: {name}
dataset_path: json
dataset_kwargs: {{data_files: {{test: {data}}}}}
test_split: test
output_type: {kind}
doc_to_text: "{{{{text}}}}"
doc_to_target: "{{{{target}}}}"
"""
MC = """doc_to_choice: "{{choices}}"
metric_list: [{metric: acc}, {metric: acc_norm}]
"""
GEN = """generation_kwargs: {until: ["\\n"], max_gen_toks: 32}
metric_list: [{metric: exact_match}]
"""


def tasks(a):
    """The two tasks, as folders of the harness have them."""
    os.makedirs(os.path.join(a.work, "tasks"), exist_ok=True)
    rows = [r for r in json.load(open(a.data)) if len(r["output"]) < 200 and "\n" not in r["output"]]
    r = random.Random(1)
    r.shuffle(rows)
    docs = {"mc": [], "gen": []}
    for name, n in (("mc", a.documents), ("gen", a.generations)):
        for row in rows[:n]:
            text = row["instruction"] + (" " + row["input"] if row["input"] else "") + "\nAnswer:"
            choices = [row["output"]] + [x["output"] for x in r.sample(rows, 2)]
            right = r.randrange(3)
            choices[0], choices[right] = choices[right], choices[0]
            docs[name].append({"text": text, "choices": choices, "target": right if name == "mc" else " " + row["output"]})
        data = os.path.join(a.work, "tasks", name + ".jsonl")
        with open(data, "w") as f:
            f.writelines(json.dumps(d) + "\n" for d in docs[name])
        with open(os.path.join(a.work, "tasks", name + ".yaml"), "w") as f:
            kind = "multiple_choice" if name == "mc" else "generate_until"
            f.write(TASK.format(name=name, data=data, kind=kind) + (MC if name == "mc" else GEN))


def folder(a):
    """The model as a Hugging Face folder."""
    base = os.path.join(a.work, "base")
    if not os.path.exists(os.path.join(base, "config.json")):
        row = os.path.join(a.work, "row.jsonl")
        with open(row, "w") as f:
            f.write(json.dumps({"prompt": "Hi", "completion": "Hello."}) + "\n")
        subprocess.run([a.instruct, "train", "--quiet", "--model_name_or_path", a.model, "--dataset", row, "--eval_fraction", "0", "--max_steps",
                        "1", "--learning_rate", "0", "--save_strategy", "no", "--output_dir", base], check=True, stdout=subprocess.DEVNULL)
    return base


def evaluate(a, name, tasks, model, args, *more):
    """The samples of one run, by task, document and choice."""
    out = os.path.join(a.work, "out", name)
    if not glob.glob(out + "/*/samples_*"):
        begin = time.time()
        keys = ",".join(f"{k}={v}" for k, v in args.items())
        env = dict(os.environ, OPENAI_API_KEY="none", HF_HUB_OFFLINE="1")
        subprocess.run([os.path.join(a.venv, "python"), "-m", "lm_eval", "run", "--model", model, "--tasks", tasks, "--include_path",
                        os.path.join(a.work, "tasks"), "--model_args", keys, "--output_path", out, "--log_samples", "--batch_size", "1", *more],
                       check=True, env=env, stdout=subprocess.DEVNULL)
        print(f"{name}: {time.time() - begin:.0f} s", flush=True)
    return {task: sorted((json.loads(line) for f in glob.glob(f"{out}/*/samples_{task}_*") for line in open(f)), key=lambda s: s["doc_id"])
            for task in tasks.split(",")}


def compare(name, ours, theirs):
    if "acc" in ours[0]:
        pairs = [(x, y) for s, t in zip(ours, theirs) for x, y in zip(s["filtered_resps"], t["filtered_resps"])]
        worst = max(abs(float(x[0]) - float(y[0])) for x, y in pairs)
        same = sum(str(x[1]) == str(y[1]) for x, y in pairs) / len(pairs)
        acc = [sum(s["acc"] for s in run) / len(run) for run in (ours, theirs)]
        print(f"{name}: {len(pairs)} log-likelihoods, largest difference {worst:.2g}, is_greedy equal {same:.2%} (greedy "
              f"{sum(str(x[1]) == 'True' for x, _ in pairs)}), accuracy {acc[0]:.4f} and {acc[1]:.4f}")
    else:
        same = sum(s["filtered_resps"] == t["filtered_resps"] for s, t in zip(ours, theirs))
        print(f"{name}: {same} of {len(ours)} generations equal")


def speed(url, n):
    """Documents a second: 100 tokens each behind one beginning."""
    ask = lambda path, body: json.load(urllib.request.urlopen(urllib.request.Request(
        url + path, json.dumps(body).encode(), {"Content-Type": "application/json"})))
    ids = lambda text: ask("/tokenize", {"prompt": text, "add_special_tokens": False})["tokens"]
    begin, r = ids(INTRO), random.Random(2)
    docs = [begin + [r.randrange(100, 40000) for _ in range(100)] for _ in range(n)]
    ask("/v1/completions", {"prompt": begin, "max_tokens": 1, "echo": True, "logprobs": 1})
    left, start = iter(docs), time.time()
    lock = threading.Lock()

    def work():
        while True:
            with lock:
                d = next(left, None)
            if d is None:
                return
            got = ask("/v1/completions", {"prompt": [d], "max_tokens": 1, "echo": True, "logprobs": 1, "temperature": 0})
            assert len(got["choices"][0]["logprobs"]["tokens"]) == len(d) + 1
    workers = [threading.Thread(target=work) for _ in range(8)]
    [w.start() for w in workers]
    [w.join() for w in workers]
    print(f"{n / (time.time() - start):.1f} documents a second, {len(begin)} tokens shared and 100 of their own")


def main():
    p = argparse.ArgumentParser()
    for k in ("instruct", "model", "data", "work"):
        p.add_argument("--" + k, required=True)
    p.add_argument("--venv", default="", help="folder of the python that has lm-eval; the one in PATH where it is not given")
    p.add_argument("--documents", type=int, default=200)
    p.add_argument("--generations", type=int, default=100)
    p.add_argument("--dtype", default="fp32")
    p.add_argument("--max_length", type=int, default=2048, help="what the model reads")
    p.add_argument("--no_chat", action="store_true", help="the model has no chat template")
    p.add_argument("--only_speed", action="store_true")
    a = p.parse_args()
    a.work = os.path.abspath(a.work)
    tasks(a)
    base = folder(a)
    server = subprocess.Popen([a.instruct, "serve", "--model", base, "--addr", "127.0.0.1:0", "--name", "m", "--dtype", a.dtype],
                              stdout=subprocess.PIPE, text=True)
    try:
        url = server.stdout.readline().strip()[:-len("/v1")]
        if not a.only_speed:
            runs(a, base, url)
        speed(url, a.documents)
    finally:
        server.terminate()
        server.wait()


def runs(a, base, url):
    http = {"model": "m", "base_url": url + "/v1/completions", "num_concurrent": 8, "max_length": a.max_length}
    hf = {"pretrained": base, "dtype": "float32"}
    theirs = evaluate(a, "hf", "mc,gen", "hf", hf, "--device", "cpu")
    for backend in ("huggingface", "remote"):
        args = dict(http, tokenizer_backend=backend)
        if backend == "huggingface":
            args["tokenizer"] = base
        for task, ours in evaluate(a, backend, "mc,gen", "local-completions", args).items():
            compare(f"{task}, local-completions, {backend} tokenizer", ours, theirs[task])
    if a.no_chat:
        return
    chat = dict(http, base_url=url + "/v1/chat/completions")
    compare("gen, local-chat-completions", evaluate(a, "chat", "gen", "local-chat-completions", chat, "--apply_chat_template")["gen"],
            evaluate(a, "hf-chat", "gen", "hf", hf, "--device", "cpu", "--apply_chat_template")["gen"])


if __name__ == "__main__":
    main()
