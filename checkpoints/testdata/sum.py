"""Prints the sha256 of all tensors of a GGUF file, dequantised by gguf.quants (0.19.0), in file order.

usage: python sum.py FILE.gguf [--each]    --each: one line a tensor, too
"""

import hashlib
import sys

import gguf
import numpy as np

total = hashlib.sha256()
for t in gguf.GGUFReader(sys.argv[1]).tensors:
    values = np.ascontiguousarray(gguf.quants.dequantize(t.data, t.tensor_type), dtype="<f4").tobytes()
    total.update(values)
    if "--each" in sys.argv:
        print(hashlib.sha256(values).hexdigest(), t.name)
print(total.hexdigest())
