"""Makes model.gguf in the folders beside it that make.py made, with llama.cpp's own converter and its gguf package.

The tiny models have no tokenizer, so the files have no vocabulary: they hold F32 tensors and the metadata of the architecture.
One line is not the converter's: gemma3's attention.sliding_window_pattern, which llama.cpp reads, and which says what the three
layers of the tiny model have (without it every sixth layer sees everything).

Regenerate (llama.cpp 0c1e570, in llama-cpp-python 0.3.36; torch and transformers as for make.py):
    python make_gguf.py PATH/TO/llama.cpp [folder ...]
"""

import os
import sys
from pathlib import Path

HERE = Path(os.path.abspath(__file__)).parent
FOLDERS = ["llama", "llama3", "linear", "qwen2", "qwen3", "gpt2", "olmo2", "gemma3", "granite", "bias", "yarn", "smollm3", "granite4",
           "phi3", "ministral3", "lfm2", "neox", "neox-serial"]


def changes(name, hparams):
    """What transformers 5 writes otherwise than the published files that the converter was made for."""
    if name == "gpt2":
        hparams["n_ctx"] = hparams["n_positions"]
    if name.startswith("neox"):
        hparams["rotary_pct"] = hparams["rope_parameters"]["partial_rotary_factor"]
    if name == "granite4":
        hparams["layer_types"] = ["attention"] * hparams["num_hidden_layers"]
        hparams["num_experts_per_tok"] = 0
    return hparams


def convert(name):
    from conversion import get_model_class
    from conversion.base import ModelBase, gguf
    import torch
    folder = HERE / name
    hparams = changes(name, ModelBase.load_hparams(folder, False))
    cls = get_model_class(hparams["architectures"][0])
    for c in (cls, getattr(cls, "Ministral3Model", cls)):
        c.set_vocab = lambda self: None
    out = folder / "model.gguf"
    with torch.inference_mode():
        model = cls(folder, gguf.LlamaFileType.ALL_F32, out, model_name=name, hparams=hparams)
        if name == "gemma3":
            model._create_vocab_sentencepiece = lambda: (range(hparams["vocab_size"]), None, None)
            (folder / "tokenizer.model").touch()  # only its presence is asked for
            model.gguf_writer.add_sliding_window_pattern(2)
        try:
            model.write()
        finally:
            (folder / "tokenizer.model").unlink(missing_ok=True)
    print(name, out.stat().st_size, "bytes")


def main():
    sys.path[:0] = [sys.argv[1], os.path.join(sys.argv[1], "gguf-py")]
    for name in sys.argv[2:] or FOLDERS:
        convert(name)


if __name__ == "__main__":
    main()
