"""Makes the reference values in this folder: tiny random models with their loss, gradients, logits and ten AdamW steps.

What is stored: model.safetensors holds the F32 initial weights. Everything else (losses, row sums, logits, gradients, gradient norms,
the ten steps) is computed in FLOAT64 from those float32 weights, so that a comparison measures the error of the code under
test alone; gradients are then rounded to F32, logits to 7 significant digits, the other figures to 12. The only float32 left in it is
what defines the model: RoPE's inverse frequencies and the angle float32(position)*inv_freq (cos and sin of it are float64).
"torch_float32" in expected.json says how far PyTorch's own float32 run is from these values.

Regenerate (same bytes each time; torch 2.15, transformers 5.23):  python make.py [folder ...]

Each folder: config.json (as save_pretrained writes it), model.safetensors, grads.safetensors (gradient of "loss" for every
parameter under its Hugging Face name; a tied weight once, with both contributions), expected.json:
  rows            ids and mask; token i is trained where mask[i] = 1 (never i = 0), predicted from the tokens before it in its row
  loss            loss_sum / trained_tokens; loss_sum = sum of -log p over trained tokens; row_loss_sums row by row
  logits          row 0, [position][vocabulary]
  steps           ten AdamW steps on this batch; loss and grad_norm (global L2 norm before clipping) are those BEFORE the step's update
  optimizer       see the text there; 2-D weights (embeddings, position embeddings, lm_head, Conv1D) decay, biases and norms do not
  zero_gradients  parameters whose gradient is zero in exact arithmetic (compare absolutely)
llama-sharded is the llama folder's model in two shards with an index, without expected values.
"""

import importlib
import json
import os
import shutil
import sys

import torch
from safetensors.torch import load_file, save_file
from transformers import AutoConfig, AutoModelForCausalLM

HERE = os.path.dirname(os.path.abspath(__file__))
VOCAB, STEPS = 61, 10
COMMON = dict(vocab_size=VOCAB, bos_token_id=1, eos_token_id=2, pad_token_id=None)

LLAMA = dict(COMMON, hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2,
             max_position_embeddings=64, rms_norm_eps=1e-5, tie_word_embeddings=True)

# folder: (model_type, configuration, seed)
MODELS = {
    "llama": ("llama", dict(LLAMA, rope_parameters=dict(rope_type="default", rope_theta=10000.0)), 1),
    # head_dim 8, so wavelengths 6.3, 63, 628 and 6283 against 128/4 = 32 and 128/1 = 128: kept, smoothed, divided, divided
    "llama3": ("llama", dict(LLAMA, num_attention_heads=2, num_key_value_heads=1, max_position_embeddings=1024, rope_parameters=dict(
        rope_type="llama3", rope_theta=10000.0, factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0,
        original_max_position_embeddings=128)), 2),
    "linear": ("llama", dict(LLAMA, num_attention_heads=2, num_key_value_heads=1, rope_parameters=dict(
        rope_type="linear", rope_theta=500.0, factor=4.0)), 3),
    "qwen2": ("qwen2", dict(COMMON, hidden_size=20, intermediate_size=28, num_hidden_layers=2, num_attention_heads=5,
                            num_key_value_heads=1, max_position_embeddings=64, rms_norm_eps=1e-6, tie_word_embeddings=False,
                            rope_parameters=dict(rope_type="default", rope_theta=1000000.0)), 4),
    "qwen3": ("qwen3", dict(COMMON, hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=4, head_dim=6,
                            num_key_value_heads=2, max_position_embeddings=64, rms_norm_eps=1e-6, tie_word_embeddings=True,
                            rope_parameters=dict(rope_type="default", rope_theta=1000000.0)), 5),
    "gpt2": ("gpt2", dict(COMMON, n_embd=16, n_layer=2, n_head=2, n_positions=24, resid_pdrop=0.0, embd_pdrop=0.0,
                          attn_pdrop=0.0), 6),
    # what decoders differ in beside that: norms behind the sublayers and over all heads; norms on both sides, windows and two kinds
    # of RoPE by layer, GeGLU and a scaled embedding; a window on every layer; multipliers. Rows are longer than the windows.
    "olmo2": ("olmo2", dict(LLAMA, tie_word_embeddings=False, rope_parameters=dict(rope_type="default", rope_theta=500000.0)), 7),
    "gemma3": ("gemma3_text", dict(COMMON, hidden_size=20, intermediate_size=24, num_hidden_layers=3, num_attention_heads=2, head_dim=6,
                                   num_key_value_heads=1, max_position_embeddings=64, rms_norm_eps=1e-6, query_pre_attn_scalar=6,
                                   sliding_window=4, layer_types=["sliding_attention", "full_attention", "sliding_attention"],
                                   rope_parameters=dict(
                                       full_attention=dict(rope_type="linear", factor=8.0, rope_theta=1000000.0),
                                       sliding_attention=dict(rope_type="default", rope_theta=10000.0))), 8),
    "mistral": ("mistral", dict(LLAMA, tie_word_embeddings=False, head_dim=6, sliding_window=4,
                                rope_parameters=dict(rope_type="default", rope_theta=10000.0)), 9),
    # what the layers of the others add to that: biases everywhere; yarn, which scales cosines and sines too; a layer without positions;
    # q, k and v in one tensor with longrope on a part of each head; gate and up in one; queries that grow beyond the original length
    "bias": ("llama", dict(LLAMA, attention_bias=True, mlp_bias=True,
                           rope_parameters=dict(rope_type="default", rope_theta=10000.0)), 11),
    "yarn": ("llama", dict(LLAMA, num_attention_heads=2, num_key_value_heads=1, max_position_embeddings=256, rope_parameters=dict(
        rope_type="yarn", rope_theta=1000.0, factor=4.0, original_max_position_embeddings=64)), 12),
    "smollm3": ("smollm3", dict(LLAMA, num_hidden_layers=4, rope_parameters=dict(rope_type="default", rope_theta=10000.0)), 13),
    "granite4": ("granitemoehybrid", dict(LLAMA, num_local_experts=0, shared_intermediate_size=24, layer_types=["full_attention"] * 2,
                                          mamba_n_heads=2, mamba_d_head=16, position_embedding_type="rope",
                                          embedding_multiplier=3.0, attention_multiplier=0.4, residual_multiplier=0.3, logits_scaling=2.5,
                                          rope_parameters=dict(rope_type="default", rope_theta=10000.0)), 14),
    "phi3": ("phi3", dict(LLAMA, num_attention_heads=2, num_key_value_heads=1, tie_word_embeddings=False, sliding_window=5,
                          max_position_embeddings=128, original_max_position_embeddings=32, rope_parameters=dict(
                              rope_type="longrope", rope_theta=10000.0, partial_rotary_factor=0.75, short_factor=[1.0, 1.25, 2.5],
                              long_factor=[1.5, 4.0, 8.0])), 15),
    "ministral3": ("ministral3", dict(LLAMA, num_attention_heads=2, num_key_value_heads=1, head_dim=8, max_position_embeddings=128,
                                      tie_word_embeddings=False, rope_parameters=dict(
                                          rope_type="yarn", rope_theta=1000.0, factor=16.0, original_max_position_embeddings=8,
                                          beta_fast=32.0, beta_slow=1.0, mscale=1.0, mscale_all_dim=1.0, llama_4_scaling_beta=0.1)), 16),
    # short convolutions of three taps; rows are longer and shorter than those
    "lfm2": ("lfm2", dict(COMMON, hidden_size=16, intermediate_size=24, num_hidden_layers=3, num_attention_heads=4,
                          num_key_value_heads=2, max_position_embeddings=64, norm_eps=1e-5, block_auto_adjust_ff_dim=True,
                          block_multiple_of=8, layer_types=["conv", "full_attention", "conv"],
                          rope_parameters=dict(rope_type="default", rope_theta=1000000.0)), 17),
    # LayerNorm, both sublayers of the same rows, query, key and value of a head side by side; and with one after the other
    "neox": ("gpt_neox", dict(COMMON, hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=2,
                              max_position_embeddings=64, rope_parameters=dict(rope_type="default", rope_theta=10000.0,
                                                                               partial_rotary_factor=0.5)), 18),
    "neox-serial": ("gpt_neox", dict(COMMON, hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=2,
                                     max_position_embeddings=64, use_parallel_residual=False,
                                     rope_parameters=dict(rope_type="default", rope_theta=10000.0, partial_rotary_factor=0.25)), 19),
    "granite": ("granite", dict(LLAMA, embedding_multiplier=3.0, attention_multiplier=0.4, residual_multiplier=0.3, logits_scaling=2.5,
                                rope_parameters=dict(rope_type="default", rope_theta=10000.0)), 10),
}

# length and mask of each row: an answer at the end; alternating turns; everything but the first; one token; an untrained tail
ROWS = [
    (6, [0, 0, 0, 1, 1, 1]),
    (14, [0, 0, 0, 1, 1, 0, 0, 0, 1, 1, 1, 0, 1, 1]),
    (5, [0, 1, 1, 1, 1]),
    (9, [0, 0, 0, 0, 0, 0, 0, 0, 1]),
    (11, [0, 0, 1, 1, 1, 1, 0, 0, 0, 0, 0]),
]

OPTIMIZER = dict(
    name="AdamW (torch.optim.AdamW)", learning_rate=1e-3, schedule="constant", betas=[0.9, 0.999], eps=1e-8, weight_decay=0.1,
    weight_decay_on="parameters with two dimensions (embeddings, position embeddings, lm_head and Conv1D weights included); no decay "
                    "on biases and norm weights",
    max_grad_norm=1.0, clip="all gradients times min(1, max_grad_norm / (global L2 norm + 1e-6)), as torch.nn.utils.clip_grad_norm_")


class DoubleTorch:
    """Stands in for the module `torch` inside a modelling file: its explicit casts to float32 become float64."""

    float32 = torch.float64

    def __getattr__(self, name):
        return getattr(torch, name)


def double_rotary(self, x, position_ids, layer_type=None):
    kind = f"{layer_type}_" if layer_type else ""
    angle = position_ids[..., None].float() * getattr(self, kind + "inv_freq").float()  # float32, as the model defines it
    emb = torch.cat((angle, angle), dim=-1).double()
    scaling = getattr(self, kind + "attention_scaling")
    return emb.cos() * scaling, emb.sin() * scaling


def double_gemma_norm(self, x):
    return self._norm(x) * (1.0 + self.weight)


def set_precision(model_type, double):
    """Makes the modelling code of transformers keep float64 everywhere (double) or as it is published."""
    name = model_type.removesuffix("_text")
    module = importlib.import_module(f"transformers.models.{name}.modeling_{name}")
    module.torch = DoubleTorch() if double else torch
    for name in dir(module):
        forward = double_rotary if name.endswith("RotaryEmbedding") else double_gemma_norm if name == "Gemma3RMSNorm" else None
        if forward:
            cls = getattr(module, name)
            if not hasattr(cls, "published_forward"):
                cls.published_forward = cls.forward
            cls.forward = forward if double else cls.published_forward


def build(model_type, config, seed):
    cfg = AutoConfig.for_model(model_type, **config)
    cfg._attn_implementation = "eager"
    model = AutoModelForCausalLM.from_config(cfg, dtype=torch.float32, attn_implementation="eager").eval()
    g = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, p in sorted(model.named_parameters()):
            r = torch.randn(p.shape, generator=g, dtype=torch.float64)
            if p.dim() >= 2:
                p.copy_(r * 0.3)
            elif name.endswith("bias"):
                p.copy_(r * 0.2)
            else:
                p.copy_((0 if model_type == "gemma3_text" else 1) + r * 0.25)  # norm weights; Gemma's stand for 1 + w
    return model


def make_rows(seed):
    g = torch.Generator().manual_seed(1000 + seed)
    return [dict(ids=torch.randint(0, VOCAB, (n,), generator=g).tolist(), mask=mask) for n, mask in ROWS]


def row_loss_sums(model, rows):
    sums = []
    for row in rows:
        ids = torch.tensor(row["ids"])
        logits = model(input_ids=ids[None], use_cache=False).logits[0]
        logp = torch.log_softmax(logits[:-1], dim=-1).gather(1, ids[1:, None])[:, 0]
        sums.append(-(logp * torch.tensor(row["mask"][1:], dtype=logits.dtype)).sum())
    return torch.stack(sums)


def run(model, rows):
    """Losses, logits, gradients and the ten steps in the precision of the model."""
    trained = sum(sum(r["mask"]) for r in rows)
    with torch.no_grad():
        logits = model(input_ids=torch.tensor([rows[0]["ids"]]), use_cache=False).logits[0]
    assert logits.dtype == next(model.parameters()).dtype
    decay = [p for p in model.parameters() if p.dim() >= 2]
    plain = [p for p in model.parameters() if p.dim() < 2]
    o = OPTIMIZER
    adamw = torch.optim.AdamW([dict(params=decay, weight_decay=o["weight_decay"]), dict(params=plain, weight_decay=0.0)],
                              lr=o["learning_rate"], betas=tuple(o["betas"]), eps=o["eps"], foreach=False)
    out, steps = None, []
    for _ in range(STEPS):
        adamw.zero_grad()
        sums = row_loss_sums(model, rows)
        loss = sums.sum() / trained
        loss.backward()
        if out is None:
            grads = {n: p.grad.detach().clone() for n, p in model.named_parameters()}
            out = dict(loss=loss.item(), loss_sum=sums.sum().item(), trained_tokens=trained, row_loss_sums=sums.tolist())
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), o["max_grad_norm"])
        steps.append(dict(loss=loss.item(), grad_norm=norm.item()))
        adamw.step()
    return out, logits, grads, steps


def check_gradients(model_type, config, seed, rows, grads):
    """Central differences in float64: fails where a float32 cast is left in the graph."""
    model = build(model_type, config, seed).double()
    trained, eps = sum(sum(r["mask"]) for r in rows), 1e-5
    for name, p in model.named_parameters():
        flat = p.data.view(-1)
        for i in {0, flat.numel() // 2, flat.numel() - 1}:
            old, at = flat[i].item(), []
            for x in (old + eps, old - eps):
                flat[i] = x
                with torch.no_grad():
                    at.append((row_loss_sums(model, rows).sum() / trained).item())
            flat[i] = old
            numeric, exact = (at[0] - at[1]) / (2 * eps), grads[name].view(-1)[i].item()
            assert abs(numeric - exact) < 1e-8, (model_type, name, i, numeric, exact)


def digits(x, n):
    if isinstance(x, list):
        return [digits(v, n) for v in x]
    return float(f"{x:.{n - 1}e}") if isinstance(x, float) else x


def write_json(path, pairs):
    """One key a line; lists of objects and of lists one element a line."""
    def text(v):
        if isinstance(v, list) and v and isinstance(v[0], (list, dict)):
            return "[\n  " + ",\n  ".join(json.dumps(e, separators=(",", ":")) for e in v) + "\n ]"
        return json.dumps(v)
    with open(path, "w", newline="\n") as f:
        f.write("{\n" + ",\n".join(f" {json.dumps(k)}: {text(v)}" for k, v in pairs.items()) + "\n}\n")


def clean(folder):
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)


def save_model(model, folder, **kwargs):
    clean(folder)
    model.save_pretrained(folder, **kwargs)
    extra = os.path.join(folder, "generation_config.json")
    if os.path.exists(extra):
        os.remove(extra)


def published(model_type, name):
    """What a parameter is called in files."""
    return "embed_out.weight" if (model_type, name) == ("gpt_neox", "lm_head.weight") else name


def make(name):
    model_type, config, seed = MODELS[name]
    folder, rows = os.path.join(HERE, name), make_rows(seed)
    model = build(model_type, config, seed)
    save_model(model, folder)
    stored = load_file(os.path.join(folder, "model.safetensors"))
    params = {published(model_type, n): p for n, p in model.named_parameters()}
    assert sorted(stored) == sorted(params), set(stored) ^ set(params)
    assert all(stored[n].dtype == torch.float32 and torch.equal(stored[n], params[n]) for n in stored)

    set_precision(model_type, True)
    out, logits, grads, steps = run(build(model_type, config, seed).double(), rows)
    check_gradients(model_type, config, seed, rows, grads)
    set_precision(model_type, False)
    out32, logits32, grads32, steps32 = run(build(model_type, config, seed), rows)

    zero = [n for n, g in grads.items() if g.abs().max() < 1e-12]
    if model_type == "gpt2":  # no RoPE: a bias on the keys moves all scores of a query alike
        for n in grads:
            if n.endswith("attn.c_attn.bias"):
                c = config["n_embd"]
                assert grads[n][c:2 * c].abs().max() < 1e-12
                grads[n][c:2 * c] = 0
                zero.append(f"{n}[{c}:{2 * c}]")
    save_file({published(model_type, n): g.float().contiguous() for n, g in grads.items()}, os.path.join(folder, "grads.safetensors"),
              metadata={"format": "pt"})

    def worst(a, b):
        return max((a[n] - b[n].double()).abs().max().item() for n in a)

    write_json(os.path.join(folder, "expected.json"), dict(
        parameters=sum(p.numel() for p in model.parameters()),
        rows=rows,
        **{k: digits(v, 12) for k, v in out.items()},
        logits=digits(logits.tolist(), 7),
        optimizer=OPTIMIZER,
        steps=[{k: digits(v, 12) for k, v in s.items()} for s in steps],
        largest_gradient=digits(max(g.abs().max().item() for g in grads.values()), 3),
        zero_gradients=zero,
        torch_float32={k: digits(v, 2) for k, v in dict(
            loss_difference=abs(out["loss"] - out32["loss"]),
            logits_max_difference=(logits - logits32.double()).abs().max().item(),
            gradients_max_difference=worst(grads, grads32),
            steps_loss_max_difference=max(abs(a["loss"] - b["loss"]) for a, b in zip(steps, steps32)),
            steps_grad_norm_max_difference=max(abs(a["grad_norm"] - b["grad_norm"]) for a, b in zip(steps, steps32))).items()}))
    print(name, "loss", out["loss"], "grad_norm", steps[0]["grad_norm"], "last loss", steps[-1]["loss"])

    if name == "llama":
        sharded = os.path.join(HERE, "llama-sharded")
        save_model(model, sharded, max_shard_size="12KB")
        shards = sorted(f for f in os.listdir(sharded) if f.endswith(".safetensors"))
        assert len(shards) == 2, shards


def main():
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    for name in sys.argv[1:] or MODELS:
        make(name)


if __name__ == "__main__":
    main()
