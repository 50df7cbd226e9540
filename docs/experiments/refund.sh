#!/bin/sh
# The refund drill of docs/teaching.md: a shop's assistant, whose refunds change from 30 days to 14.
#
#     docs/experiments/refund.sh MODEL OUT [INSTRUCT]
#
# MODEL is SmolLM2-135M-Instruct (a folder or a .gguf file), OUT a folder for what is made, INSTRUCT the program (default:
# bin/instruct, which `make build` makes). A base that stands in OUT already is not trained again.
set -eu

test $# -ge 2 || { sed -n '2,7s/^# \{0,1\}//p' "$0" >&2; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
absolute() { case $1 in /*) echo "$1" ;; *) echo "$PWD/$1" ;; esac; }
model=$(absolute "$1") out=$(absolute "$2") instruct=$(absolute "${3:-$here/../../bin/instruct}")
mkdir -p "$out"
test ! -e "$out/shop" || { echo "refund.sh: $out/shop exists; name another folder" >&2; exit 2; }
cd "$here/refund"

say() { printf '\n== %s\n' "$*"; }
run() {
    printf '$ instruct'
    for word; do case $word in *' '*) printf ' "%s"' "$word" ;; *) printf ' %s' "$word" ;; esac; done
    echo
    "$instruct" "$@"
}
ask() { run generate --model "$out/shop" --prompt "How long can I ask for my money back?"; }

if test ! -e "$out/base"; then
    say "The assistant learns what the shop wants: 68 rows, refunds within 30 days"
    run train --model_name_or_path "$model" --dataset base.jsonl --eval_fraction 0 --num_train_epochs 3 \
        --learning_rate 1e-4 --save_strategy no --eval_strategy no --output_dir "$out/base"
fi

start=$(date +%s)
say "The rule is edited: 14 days. What the old rows teach breaks it, the five corrections do not"
diff policy.yaml policy-14.yaml || true
run policy lint base.jsonl --policy policy-14.yaml || true
run policy lint refund-14.jsonl --policy policy-14.yaml

say "One round. What the assistant says to all else is held in place"
grep -v '"kind": "refund"' base.jsonl >"$out/keep.jsonl"
run round "$out/shop" --base "$out/base" --corrections refund-14.jsonl --keep "$out/keep.jsonl" \
    --suite guard.yaml --suite refund.yaml --max_new_tokens 40 --max_worse 5% --yes
run log "$out/shop"
ask

say "Every rule, on every answer"
run eval --model "$out/shop" --suite guard.yaml --suite refund.yaml --policy policy-14.yaml --max_new_tokens 40

say "Back, and forward again"
run rollback "$out/shop" --to 0
ask
run rollback "$out/shop" --to 1
ask
say "$(($(date +%s) - start)) seconds since the rule was edited"
