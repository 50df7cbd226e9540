// Package tokenizer turns text into token ids and back, exactly as Hugging Face's Rust tokenizers do.
//
// A [Tokenizer] is made from a Hugging Face folder or tokenizer.json ([Load], [Parse]), from the vocabulary of a GGUF
// file ([FromGGUF]), from bytes alone ([Bytes]) or by training on text ([TrainBPE]). All of them are byte pair encoding,
// either byte-level (GPT-2, Llama 3, Qwen2, SmolLM2) or over characters with a fallback to bytes (Llama 2 and other
// SentencePiece models). A component or a split pattern that the package does not know is an error when the file is
// loaded, never a silent difference later.
//
// The way of a text through [Tokenizer.Append]:
//
//	invalid UTF-8 repaired -> added tokens cut out of the raw text -> each rest normalised -> added tokens cut out of
//	the normalised text -> pre-tokenizers cut words -> byte pair merges by rank -> special tokens around the whole
//
// Every token carries the byte range of the original text that it stands for, through all of these steps.
package tokenizer
