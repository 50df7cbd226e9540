// Package openai serves a model over HTTP as OpenAI's API does, with what llama.cpp's and vLLM's servers add to it for
// tokens and their log-probabilities. It lies below the command because it is a way in, as the command line is: it
// turns requests into those of [instruct/model.Decoder] and answers into JSON, and nothing else knows of it.
//
// The way of a request: guard (host, origin, key) -> fields (JSON to a request, every field known) -> prompts (token
// ids) -> scheduler (one goroutine, one decoder: requests come and go between steps) -> choice (ids to text, stop
// strings) -> call (what was said so far) -> reply (JSON, at one time or streamed).
package openai
