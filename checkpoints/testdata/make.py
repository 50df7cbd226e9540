"""Makes quants.gguf and dtypes.safetensors, the reference values of this package.

Needs: pip install gguf safetensors torch (made with gguf 0.19.0, safetensors 0.8.0, torch 2.15.0).

quants.gguf: for each type T a tensor T of random blocks and a float32 tensor
T.expected that gguf.quants.dequantize made of it; and one metadata value of each type.
dtypes.safetensors: for each float dtype D a tensor D and D.expected, D converted to
float32 by torch; and round, float32 values that torch rounded to round.F16 and round.BF16.
"""

import os

import gguf
import numpy as np
import torch
from gguf import GGMLQuantizationType as T
from safetensors.torch import save_file

here = os.path.dirname(os.path.abspath(__file__))
rng = np.random.default_rng(1)


def halves(n):
    """Finite halves of all sizes: zeros, subnormals, both signs."""
    bits = rng.integers(0, 1 << 16, n, dtype=np.uint16)
    bits[(bits & 0x7C00) == 0x7C00] ^= 0x4000
    bits[0] = 0x0003  # a subnormal
    return bits.view(np.uint8)


# where the halves of a block are
SCALES = {T.Q4_0: [0], T.Q4_1: [0, 2], T.Q5_0: [0], T.Q5_1: [0, 2], T.Q8_0: [0], T.Q4_K: [0, 2], T.Q5_K: [0, 2], T.Q6_K: [208]}


def blocks(kind, rows, columns):
    elems, size = gguf.GGML_QUANT_SIZES[kind]
    n = rows * columns // elems
    raw = rng.integers(0, 256, (n, size), dtype=np.uint8)
    for at in SCALES[kind]:
        raw[:, at : at + 2] = halves(n).reshape(n, 2)
    return raw.reshape(rows, -1)


w = gguf.GGUFWriter(os.path.join(here, "quants.gguf"), "test")
w.add_uint8("t.uint8", 200)
w.add_int8("t.int8", -100)
w.add_uint16("t.uint16", 60000)
w.add_int16("t.int16", -30000)
w.add_uint32("t.uint32", 4000000000)
w.add_int32("t.int32", -2000000000)
w.add_float32("t.float32", 0.1)
w.add_bool("t.true", True)
w.add_bool("t.false", False)
w.add_string("t.string", "héllo\nworld")
w.add_uint64("t.uint64", 18000000000000000000)
w.add_int64("t.int64", -9000000000000000000)
w.add_float64("t.float64", 0.1)
w.add_array("t.strings", ["a", "", "ü"])
w.add_array("t.ints", [1, -2, 3])
w.add_array("t.floats", [0.5, -1.25])
w.add_array("t.bools", [True, False])
for kind in SCALES:
    raw = blocks(kind, 2, 256)
    w.add_tensor(kind.name, raw, raw_dtype=kind)
    w.add_tensor(kind.name + ".expected", gguf.quants.dequantize(raw, kind))
f16 = halves(512).view(np.float16).reshape(2, 256)
w.add_tensor("F16", f16)
w.add_tensor("F16.expected", f16.astype(np.float32))
bf16 = halves(512).reshape(2, 512)
w.add_tensor("BF16", bf16, raw_dtype=T.BF16)
w.add_tensor("BF16.expected", gguf.quants.dequantize(bf16, T.BF16))
w.add_tensor("axes", np.arange(24, dtype=np.float32).reshape(2, 3, 4))
w.write_header_to_file()
w.write_kv_data_to_file()
w.write_tensors_to_file()
w.close()

special = [0.0, -0.0, 1.0, -1.0, float("inf"), -float("inf"), 65504.0, 6e-8, 1e-40, 3.0e38]
tensors = {"I64": torch.tensor([1, -2, 3]), "BOOL": torch.tensor([True, False]), "scalar": torch.tensor(7.0), "empty": torch.zeros(0, 3)}
for name, dtype in {"F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16, "F64": torch.float64}.items():
    t = torch.tensor(special + list(rng.standard_normal(23)), dtype=torch.float64).to(dtype).reshape(3, 11)
    tensors[name], tensors[name + ".expected"] = t, t.to(torch.float32, copy=True)
# Values at, just below and just above the middle of two halves (or bfloat16s), normal and subnormal.
edges = []
for h in rng.integers(0, 0x7BFF, 60):
    mid = (np.uint16(h).view(np.float16).astype(np.float64) + np.uint16(h + 1).view(np.float16).astype(np.float64)) / 2
    mid = np.float32(mid)
    edges += [mid, np.nextafter(mid, np.float32(0)), np.nextafter(mid, np.float32(1e9)), -mid]
for b in rng.integers(0, 0x477F, 60):
    mid = np.uint32((int(b) << 16) | 0x8000)
    edges += [mid.view(np.float32), np.uint32(mid - 1).view(np.float32), np.uint32(mid + 1).view(np.float32)]
edges += list(rng.standard_normal(60).astype(np.float32)) + [np.float32(x) for x in (0.0, -0.0, np.inf, -np.inf, 65504, 65519.996)]
r = torch.from_numpy(np.array(edges, dtype=np.float32))
tensors["round"], tensors["round.F16"], tensors["round.BF16"] = r, r.to(torch.float16), r.to(torch.bfloat16)
save_file(tensors, os.path.join(here, "dtypes.safetensors"), metadata={"format": "pt", "made by": "make.py"})
