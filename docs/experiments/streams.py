"""Many streams at one time from `instruct serve`, for some time: errors, tokens a second beside those of one stream alone, memory.

    python docs/experiments/streams.py --instruct ./instruct --model SmolLM2.gguf [--dtype q8_0] [--streams 64] [--seconds 300] [--alone 20]
    python docs/experiments/streams.py --peer "llama-server -m SmolLM2.gguf -t 2 -np 64 -c 32768 --port 8090" ...

Each stream asks one question after the other, of other lengths and with seeds of its own at temperature 0.8, and reads the events as they come.
Tokens are the server's own count (stream_options.include_usage). One stream is measured for --alone seconds before the others and again after
them, so that what else the machine does counts for both. Memory is the server's VmRSS of /proc (Linux), after the first stream, each sixth of
the time and at the end. With --peer it is another server that answers on the --port of its command. The first line that fails is printed; ends with 1 where one failed.
"""

import argparse
import http.client
import json
import shlex
import subprocess
import sys
import threading
import time

THINGS = ("a lighthouse", "the rain", "bread", "a small town by a river", "the moon", "an old clock", "tea", "a bicycle", "winter", "a library", "ants")
WAYS = ("Tell me something about {}.", "What would a child ask about {}, and what would you answer?", "Write a short story in which {} matters.")


class Streams:
    """n streams for some seconds: their tokens, answers and errors."""

    def __init__(self, address, n, seconds, tokens):
        self.address, self.tokens_each, self.seconds = address, tokens, seconds
        self.lock, self.tokens, self.answers, self.errors, self.first = threading.Lock(), 0, 0, [], []
        self.begin = time.time()
        self.workers = [threading.Thread(target=self.work, args=(i,)) for i in range(n)]
        [w.start() for w in self.workers]

    def wait(self):
        [w.join() for w in self.workers]
        self.rate = self.tokens / (time.time() - self.begin)
        return self

    def work(self, i):
        k = 0
        while time.time() - self.begin < self.seconds:
            try:
                first, tokens = self.ask(i, k)
                with self.lock:
                    self.tokens, self.answers = self.tokens + tokens, self.answers + 1
                    self.first.append(first)
            except Exception as e:
                with self.lock:
                    self.errors.append(f"stream {i}, answer {k}: {type(e).__name__}: {e}")
            k += 1

    def ask(self, i, k):
        """One answer: seconds to its first event with text, and tokens."""
        body = {"messages": [{"role": "user", "content": WAYS[(i + k) % 3].format(THINGS[(7 * i + k) % 11])}], "temperature": 0.8,
                "seed": 1000 * i + k, "max_tokens": self.tokens_each, "stream": True, "stream_options": {"include_usage": True}}
        c = http.client.HTTPConnection(self.address, timeout=600)
        begin, first, usage, done, ended = time.time(), 0, None, False, None
        try:
            c.request("POST", "/v1/chat/completions", json.dumps(body), {"Content-Type": "application/json"})
            r = c.getresponse()
            if r.status != 200:
                raise RuntimeError(f"{r.status} {r.read()[:500]!r}")
            for line in r:
                if not line.startswith(b"data: "):
                    continue
                if line.strip() == b"data: [DONE]":
                    done = True
                    break
                e = json.loads(line[len(b"data: "):])
                if "error" in e:
                    raise RuntimeError(e["error"])
                usage = e.get("usage") or usage
                for x in e["choices"]:
                    ended = x["finish_reason"] or ended
                    if x["delta"].get("content"):
                        first = first or time.time() - begin
        finally:
            c.close()
        if not done or not usage or ended not in ("stop", "length"):
            raise RuntimeError(f"the stream ended early: [DONE] {done}, usage {usage}, finish_reason {ended}")
        return first, usage["completion_tokens"]


def resident(pid):
    """Resident memory, MiB."""
    return next(int(line.split()[1]) for line in open(f"/proc/{pid}/status") if line.startswith("VmRSS")) / 1024


def start(a):
    """A server that answers, and its address."""
    if not a.peer:
        server = subprocess.Popen([a.instruct, "serve", "--model", a.model, "--dtype", a.dtype, "--addr", "127.0.0.1:0", "--name", "m",
                                   "--max_concurrent", str(a.max_concurrent or a.streams)], stdout=subprocess.PIPE, text=True)
        return server, server.stdout.readline().strip()[len("http://"):-len("/v1")]
    command = shlex.split(a.peer)
    address = "127.0.0.1:" + command[command.index("--port") + 1]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while server.poll() is None:
        time.sleep(0.5)
        c = http.client.HTTPConnection(address, timeout=5)
        try:
            c.request("GET", "/health")
            if c.getresponse().status == 200:
                return server, address
        except OSError:
            pass
        finally:
            c.close()
    sys.exit(f"{command[0]} ended with {server.returncode}")


def measure(a, server, address):
    Streams(address, 1, 0.1, 8).wait()
    errors, alone = [], []

    def one():
        s = Streams(address, 1, a.alone, a.max_tokens).wait()
        errors.extend(s.errors)
        alone.append(s.rate)
        print(f"one stream: {s.rate:.1f} tokens/s, {s.answers} answers; {resident(server.pid):.0f} MiB", flush=True)
    one()
    many = Streams(address, a.streams, a.seconds, a.max_tokens)
    for k in range(6):
        time.sleep(max(0, many.begin + (k + 1) * a.seconds / 6 - time.time()))
        print(f"{time.time() - many.begin:.0f} s: {resident(server.pid):.0f} MiB, {many.answers} answers, {len(many.errors)} errors", flush=True)
    many.wait()
    errors.extend(many.errors)
    many.first.sort()
    print(f"{a.streams} streams: {many.rate:.1f} tokens/s, {many.answers} answers, {len(many.errors)} errors; first text after "
          f"{many.first[len(many.first) // 2] if many.first else 0:.1f} s (half of them); {resident(server.pid):.0f} MiB", flush=True)
    one()
    print(f"{many.rate * len(alone) / sum(alone):.2f} times one stream")
    return errors


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--instruct")
    p.add_argument("--model")
    p.add_argument("--peer", help="the command of another server, in place of --instruct and --model")
    p.add_argument("--dtype", default="q8_0")
    p.add_argument("--streams", type=int, default=64)
    p.add_argument("--seconds", type=float, default=300)
    p.add_argument("--alone", type=float, default=20, help="seconds of one stream, before and after")
    p.add_argument("--max_tokens", type=int, default=64)
    p.add_argument("--max_concurrent", type=int, default=0, help="answers that the server makes at one time; as many as streams")
    a = p.parse_args()
    if not a.peer and not (a.instruct and a.model):
        p.error("--instruct and --model, or --peer")
    server, address = start(a)
    try:
        errors = measure(a, server, address)
    finally:
        server.terminate()
        server.wait()
    for e in errors[:1]:
        print(e)
    sys.exit(1 if errors else 0)


if __name__ == "__main__":
    main()
