package file

import (
	"bytes"
	"encoding/json"
	"errors"
)

// File is tokenizer.json. Its truncation and padding sections are ignored.
type File struct {
	AddedTokens                                      []AddedToken
	Normalizer, PreTokenizer, PostProcessor, Decoder json.RawMessage
	Model                                            Model
}

// AddedToken is a token that is cut out of the text before anything else looks at it.
type AddedToken struct {
	ID         int32  `json:"id"`
	Content    string `json:"content"`
	SingleWord bool   `json:"single_word"`
	LStrip     bool   `json:"lstrip"`
	RStrip     bool   `json:"rstrip"`
	Normalized bool   `json:"normalized"`
	Special    bool   `json:"special"`
}

// Parse reads the sections of tokenizer.json.
func Parse(src string) (*File, error) {
	f := &File{Model: Model{src: src}}
	r := jsonReader{name: "tokenizer.json", s: src}
	found := false
	sections := map[string]any{
		"added_tokens": &f.AddedTokens, "normalizer": &f.Normalizer, "pre_tokenizer": &f.PreTokenizer,
		"post_processor": &f.PostProcessor, "decoder": &f.Decoder,
	}
	err := r.object(func(key string) error {
		if key == "model" {
			found = r.peek() == '{'
			if found {
				return f.Model.read(&r)
			}
		}
		at := r.i
		section, err := r.skip()
		if err == nil && key == "version" && section != `"1.0"` {
			err = mistake("%s: version %s, expected \"1.0\"", r.place(at), section)
		}
		to := sections[key]
		if err != nil || to == nil {
			return err
		}
		if err := json.Unmarshal([]byte(section), to); err != nil {
			return mistake("%s: %s: %w", r.place(at), key, err)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if r.peek(); r.i < len(src) {
		return nil, r.fail("the end of the file")
	}
	if !found {
		return nil, mistake("tokenizer.json: no model section")
	}
	return f, f.Model.check()
}

// Decode reads the JSON of a file. An error says where in the file it is wrong.
func Decode(name string, data []byte, to any) error {
	err := json.Unmarshal(data, to)
	if err == nil {
		return nil
	}
	var syntax *json.SyntaxError
	var typed *json.UnmarshalTypeError
	var offset int64
	switch {
	case errors.As(err, &syntax):
		offset = syntax.Offset
		if offset >= int64(len(data)) {
			return mistake("%s: cut short: the JSON does not end within its %d bytes; copy the file again", name, len(data))
		}
	case errors.As(err, &typed):
		offset = typed.Offset
	default:
		return mistake("%s: %w", name, err)
	}
	before := data[:min(offset, int64(len(data)))]
	line := bytes.Count(before, []byte("\n")) + 1
	column := max(len(before)-1-bytes.LastIndexByte(before, '\n'), 1) // offset is that of the byte after
	return mistake("%s:%d:%d: %w", name, line, column, err)
}
