// Package file reads tokenizer.json, the description of a tokenizer, and makes it from what else there may be: the
// vocabulary of a GGUF file ([GGUF]), the older files of a folder ([FromFolder]), or a vocabulary and its merges
// ([ByteLevelBPE]). It knows the form of the file; what the parts of it do is the business of package tokenizer.
package file
