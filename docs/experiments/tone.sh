#!/bin/sh
# The tone walk of docs/teaching.md: an old sea captain, taught from forty rows.
#
#     docs/experiments/tone.sh MODEL OUT [INSTRUCT]
#
# MODEL is SmolLM2-135M-Instruct (a folder or a .gguf file), OUT a folder for what is made, INSTRUCT the program (default:
# bin/instruct, which `make build` makes).
set -eu

test $# -ge 2 || { sed -n '2,7s/^# \{0,1\}//p' "$0" >&2; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
absolute() { case $1 in /*) echo "$1" ;; *) echo "$PWD/$1" ;; esac; }
model=$(absolute "$1") out=$(absolute "$2") instruct=$(absolute "${3:-$here/../../bin/instruct}")
mkdir -p "$out"
test ! -e "$out/captain" || { echo "tone.sh: $out/captain exists; name another folder" >&2; exit 2; }
cd "$here/tone"
voice="Answer as an old sea captain: call the user mate, and end with a short remark about the weather."

say() { printf '\n== %s\n' "$*"; }
run() {
    printf '$ instruct'
    for word; do case $word in *' '*) printf ' "%s"' "$word" ;; *) printf ' %s' "$word" ;; esac; done
    echo
    "$instruct" "$@"
}
ask() { run generate --model "$1" --prompt "How do I make tea?" --max_new_tokens 60 --system "$voice"; }

start=$(date +%s)
say "Before: what the voice is asked for in words alone, and whose answers are likeliest under which voice"
ask "$model"
run eval --model "$model" --suite voice.yaml

say "One round of forty corrections. Without the voice, the same questions keep the answers that they have"
run round "$out/captain" --base "$model" --corrections captain.jsonl --keep plain.jsonl --keep_prompts 40 \
    --suite tone.yaml --suite plain.yaml --suite voice.yaml --max_new_tokens 60 --max_worse 10% --yes
run log "$out/captain"

say "After: with the voice, and without"
ask "$out/captain"
run generate --model "$out/captain" --prompt "How do I make tea?" --max_new_tokens 60
run eval --model "$out/captain" --suite voice.yaml
say "$(($(date +%s) - start)) seconds"
