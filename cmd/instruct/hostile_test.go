package main

import (
	"encoding/binary"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
)

// hostile is a file that claims or asks for more than any machine has.
type hostile struct {
	name  string
	write func(t *testing.T)
	args  string
	want  string // of the message
}

// safetensorsHead is a file of this header and nothing else.
func safetensorsHead(header string) string {
	return string(binary.LittleEndian.AppendUint64(nil, uint64(len(header)))) + header
}

// ggufStrings is the beginning of a GGUF file whose one key is an array of n strings.
func ggufStrings(n uint64) string {
	b := binary.LittleEndian.AppendUint32([]byte("GGUF"), 3)
	b = binary.LittleEndian.AppendUint64(b, 0) // tensors
	b = binary.LittleEndian.AppendUint64(b, 1)
	b = binary.LittleEndian.AppendUint64(b, 1)
	b = append(b, 'a')
	b = binary.LittleEndian.AppendUint32(b, 9) // an array
	b = binary.LittleEndian.AppendUint32(b, 8) // of strings
	return string(binary.LittleEndian.AppendUint64(b, n))
}

func hostileFiles() []hostile {
	file := func(path, text string) func(*testing.T) { return func(t *testing.T) { write(t, path, text) } }
	normalizers := func(parts ...string) func(*testing.T) {
		return func(t *testing.T) {
			editJSON(t, "model/tokenizer.json", func(m map[string]any) {
				var all []any
				for _, p := range parts {
					all = append(all, decode[map[string]any](t, p))
				}
				m["normalizer"] = map[string]any{"type": "Sequence", "normalizers": all}
			})
		}
	}
	long := strings.Repeat("a", 10_000)
	replace := fmt.Sprintf(`{"type":"Replace","pattern":{"String":"a"},"content":"%s"}`, long)
	prepend := fmt.Sprintf(`{"type":"Prepend","prepend":"%s"}`, long)
	brackets := strings.Repeat("[", 1_000_000) + strings.Repeat("]", 1_000_000)
	template := func(text string) func(*testing.T) { return file("t.jinja", text) }
	const ask = "generate --model model --prompt aaaa"
	const rendered = ask + " --chat_template t.jinja"
	bomb := "tokenizer_name: bytes\ndataset: rows.jsonl\nmodel_config:\n  a: &a [x,x,x,x,x,x,x,x,x,x]\n"
	for c := 'b'; c <= 'j'; c++ {
		bomb += fmt.Sprintf("  %c: &%[1]c [%s]\n", c, strings.Repeat(fmt.Sprintf("*%c,", c-1), 9)+fmt.Sprintf("*%c", c-1))
	}
	return []hostile{
		{"a tensor of 10 TB", file(weightsFile, safetensorsHead(`{"model.embed_tokens.weight":{"dtype":"F32",`+
			`"shape":[260,10000000000],"data_offsets":[0,10400000000000]}}`)), ask, "model.safetensors"},
		{"arrays in a header", file(weightsFile, safetensorsHead(brackets)), ask, "model.safetensors"},
		{"arrays in config.json", file("model/config.json", `{"model_type":"llama","x":`+brackets+`}`), ask, "config.json"},
		{"arrays in a row", file("d.jsonl", `{"a":`+brackets+"}\n"), "data inspect --model model --dataset d.jsonl",
			"d.jsonl:1"},
		{"arrays in a recipe", file("r.yaml", "dataset: "+brackets), "train r.yaml", "r.yaml:1: values are nested deeper"},
		{"a YAML bomb", file("r.yaml", bomb), "train r.yaml", "r.yaml"},
		{"2^63 strings", file("m.gguf", ggufStrings(1<<63)), "model inspect --model m.gguf", "9223372036854775808 elements"},
		{"empty strings", func(t *testing.T) {
			write(t, "m.gguf", ggufStrings(5<<20))
			if err := os.Truncate("m.gguf", 41<<20); err != nil { // zeros are empty strings
				t.Skip("the file system has no sparse files: ", err)
			}
		}, "model inspect --model m.gguf", "more than 4194304 strings"},
		{"prepended", normalizers(prepend, prepend, prepend, prepend, prepend, prepend, prepend), ask, "normalizers make"},
		{"replaced", normalizers(replace, replace), ask, "normalizers make a text"},
		{"layers", func(t *testing.T) {
			editJSON(t, "model/config.json", func(m map[string]any) { m["num_hidden_layers"] = 10_000_000 })
		}, ask, "config.json"},
		{"a loop", template("{% for i in range(1000000) %}{% for j in range(1000000) %}x{% endfor %}{% endfor %}"), rendered,
			"template"},
		{"a list that doubles", template("{% set n = namespace(l=[1]) %}{% for i in range(60) %}{% set n.l = n.l + n.l %}" +
			"{% endfor %}"), rendered, "template"},
		{"a range", template("{% set x = range(100000000000)|list %}"), rendered, "template"},
		{"a macro that asks itself", template("{% macro f(x) %}{{ f(x) }}{{ f(x) }}{% endmacro %}{{ f(1) }}"), rendered,
			"template"},
	}
}

// TestHostileFiles wants one message and no more than 100 MB that is taken in all for what no machine has room for. The
// list that doubles is bounded by the template's own budget, which is larger.
func TestHostileFiles(t *testing.T) {
	for _, h := range hostileFiles() {
		t.Run(h.name, func(t *testing.T) {
			workdir(t)
			h.write(t)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			o := call(t, "", h.args)
			runtime.ReadMemStats(&after)
			mistaken(t, o, h.want)
			if len(o.err) > 600 {
				t.Errorf("the message has %d bytes:\n%.600s", len(o.err), o.err)
			}
			if took := (after.TotalAlloc - before.TotalAlloc) >> 20; took > 100 {
				t.Errorf("%d MB were taken", took)
			}
		})
	}
}
