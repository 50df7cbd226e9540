"""The clients that people have, against `instruct serve`: each answers a chat and a completion at one time and streamed, and the texts are equal.

    python docs/experiments/clients.py --instruct ./instruct --model SmolLM2.gguf [--dtype q8_0] [--node DIR] [--go]

curl is asked always; openai and langchain-openai where this python has them, openai of npm with --node, a folder whose node_modules has it, and
github.com/openai/openai-go with --go, in a module of its own in a temporary folder. Prints a line for each client and ends with 1 where one
failed: an error, an empty answer, or a streamed answer that is not the one given at one time.
"""

import argparse
import importlib.util
import json
import os
import subprocess
import sys
import tempfile

QUESTION = "What is the capital of France? Answer in one sentence."
PROMPT = "The capital of France is"
TOKENS = 24

NODE = """
const OpenAI = require("openai").default;
const [url, question, prompt, tokens] = process.argv.slice(1);
(async () => {
  const c = new OpenAI({baseURL: url, apiKey: "none"});
  const chat = {model: "m", messages: [{role: "user", content: question}], max_tokens: +tokens};
  const text = {model: "m", prompt, max_tokens: +tokens};
  const out = [(await c.chat.completions.create(chat)).choices[0].message.content, "", (await c.completions.create(text)).choices[0].text, ""];
  for await (const e of await c.chat.completions.create({...chat, stream: true})) out[1] += e.choices[0]?.delta?.content ?? "";
  for await (const e of await c.completions.create({...text, stream: true})) out[3] += e.choices[0]?.text ?? "";
  console.log(JSON.stringify(out));
})();
"""

GO = """package main

import (
	"context"
	"encoding/json"
	"os"
	"strconv"

	"github.com/openai/openai-go"
	"github.com/openai/openai-go/option"
)

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func main() {
	tokens, err := strconv.ParseInt(os.Args[4], 10, 64)
	must(err)
	c := openai.NewClient(option.WithBaseURL(os.Args[1]), option.WithAPIKey("none"))
	ctx := context.Background()
	ask := openai.ChatCompletionNewParams{Model: "m", MaxTokens: openai.Int(tokens),
		Messages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage(os.Args[2])}}
	text := openai.CompletionNewParams{Model: "m", MaxTokens: openai.Int(tokens),
		Prompt: openai.CompletionNewParamsPromptUnion{OfString: openai.String(os.Args[3])}}
	out := make([]string, 4)
	a, err := c.Chat.Completions.New(ctx, ask)
	must(err)
	out[0] = a.Choices[0].Message.Content
	for s := c.Chat.Completions.NewStreaming(ctx, ask); ; {
		if !s.Next() {
			must(s.Err())
			break
		}
		for _, x := range s.Current().Choices {
			out[1] += x.Delta.Content
		}
	}
	b, err := c.Completions.New(ctx, text)
	must(err)
	out[2] = b.Choices[0].Text
	for s := c.Completions.NewStreaming(ctx, text); ; {
		if !s.Next() {
			must(s.Err())
			break
		}
		for _, x := range s.Current().Choices {
			out[3] += x.Text
		}
	}
	must(json.NewEncoder(os.Stdout).Encode(out))
}
"""


def curl(url):
    def ask(path, body):
        done = subprocess.run(["curl", "-sSN", "--fail-with-body", url + path, "-H", "Content-Type: application/json", "-d", json.dumps(body)],
                              stdout=subprocess.PIPE, text=True)
        if done.returncode:
            raise RuntimeError(done.stdout)
        return done.stdout

    def events(text):
        lines = [line[len("data: "):] for line in text.splitlines() if line]
        assert lines[-1] == "[DONE]", lines[-1]
        return [c for line in lines[:-1] for c in json.loads(line)["choices"]]
    chat = {"messages": [{"role": "user", "content": QUESTION}], "max_tokens": TOKENS}
    text = {"prompt": PROMPT, "max_tokens": TOKENS}
    return [json.loads(ask("/chat/completions", chat))["choices"][0]["message"]["content"],
            "".join(c["delta"].get("content") or "" for c in events(ask("/chat/completions", dict(chat, stream=True)))),
            json.loads(ask("/completions", text))["choices"][0]["text"],
            "".join(c["text"] for c in events(ask("/completions", dict(text, stream=True))))]


def openai_python(url):
    import openai
    c = openai.OpenAI(base_url=url, api_key="none")
    chat = dict(model="m", messages=[{"role": "user", "content": QUESTION}], max_tokens=TOKENS)
    text = dict(model="m", prompt=PROMPT, max_tokens=TOKENS)
    return [c.chat.completions.create(**chat).choices[0].message.content,
            "".join(e.choices[0].delta.content or "" for e in c.chat.completions.create(**chat, stream=True) if e.choices),
            c.completions.create(**text).choices[0].text,
            "".join(e.choices[0].text for e in c.completions.create(**text, stream=True) if e.choices)]


def langchain(url):
    from langchain_openai import ChatOpenAI, OpenAI
    keys = dict(base_url=url, api_key="none", model="m", max_tokens=TOKENS)
    chat, text = ChatOpenAI(**keys), OpenAI(**keys, temperature=0)
    return [chat.invoke(QUESTION).content, "".join(e.content for e in chat.stream(QUESTION)), text.invoke(PROMPT), "".join(text.stream(PROMPT))]


def program(command, folder, url):
    done = subprocess.run(command + [url, QUESTION, PROMPT, str(TOKENS)], cwd=folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    return json.loads(done.stdout)


def node(folder):
    return lambda url: program(["node", "-e", NODE, "--"], folder, url)


def go(folder):
    with open(os.path.join(folder, "main.go"), "w") as f:
        f.write(GO)
    for command in ("go mod init clients", "go get github.com/openai/openai-go", "go mod tidy", "go build -o clients ."):
        subprocess.run(command.split(), cwd=folder, check=True, stdout=subprocess.DEVNULL)
    return lambda url: program([os.path.join(folder, "clients")], folder, url)


def check(name, ask, url):
    """One client, and whether it failed."""
    try:
        chat, streamed, text, streamed_text = ask(url)
        bad = not (chat and chat == streamed and text and text == streamed_text)
        print(f"{name}: {'DIFFERENT' if bad else 'ok'}: {chat!r}, streamed {streamed!r}; {text!r}, streamed {streamed_text!r}" if bad else
              f"{name}: ok, chat {chat!r}, completion {text!r}", flush=True)
        return bad
    except Exception as e:
        print(f"{name}: FAILED: {type(e).__name__}: {e}", flush=True)
        return True


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--instruct", required=True)
    p.add_argument("--model", required=True)
    p.add_argument("--dtype", default="q8_0")
    p.add_argument("--node", default="", help="a folder whose node_modules has openai")
    p.add_argument("--go", action="store_true")
    a = p.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        clients = {"curl": curl}
        for name, module, ask in (("openai (Python)", "openai", openai_python), ("langchain-openai", "langchain_openai", langchain)):
            if importlib.util.find_spec(module):
                clients[name] = ask
            else:
                print(f"{name}: this python does not have it")
        if a.node:
            clients["openai (npm)"] = node(a.node)
        if a.go:
            clients["openai-go"] = go(temporary)
        server = subprocess.Popen([a.instruct, "serve", "--model", a.model, "--dtype", a.dtype, "--addr", "127.0.0.1:0", "--name", "m"],
                                  stdout=subprocess.PIPE, text=True)
        try:
            url = server.stdout.readline().strip()
            failed = [name for name, ask in clients.items() if check(name, ask, url)]
        finally:
            server.terminate()
            server.wait()
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
