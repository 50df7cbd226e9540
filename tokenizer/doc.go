// Package tokenizer turns text into token ids and back, exactly as Hugging Face's Rust tokenizers do.
//
// A [Tokenizer] is made from a Hugging Face folder or tokenizer.json ([Load], [Parse]), from the vocabulary of a GGUF
// file ([FromGGUF]), from bytes alone ([Bytes]) or by training on text ([TrainBPE]). The models are byte pair encoding,
// byte-level (GPT-2, Llama 3, Qwen2, SmolLM2) or over characters (Llama 2, Gemma, CLIP), WordPiece (BERT), Unigram (T5,
// XLM-RoBERTa) and WordLevel. Folders without tokenizer.json may have vocab.json and merges.txt, vocab.txt, or a
// SentencePiece tokenizer.model. Known split patterns are scanned by hand, others by a backtracking engine where every
// part of them has the same meaning there. What the package does not know is an error when the file is loaded, never a
// silent difference later.
//
// The way of a text through [Tokenizer.Append]:
//
//	invalid UTF-8 repaired -> added tokens cut out of the raw text -> each rest normalised -> added tokens cut out of
//	the normalised text -> pre-tokenizers cut words -> the model cuts words into tokens ->
//	special tokens around the whole
//
// Where none of these steps looks past a space that follows a visible character, a text takes that way in chunks, and
// the tokens of short chunks are remembered.
//
// Every token carries the byte range of the original text that it stands for, through all of these steps.
//
// The packages below are chat (messages and chat templates, jinja their language), pattern (what the regular
// expressions of pre-tokenizers find) and file (tokenizer.json, and how it is made of other files).
package tokenizer
