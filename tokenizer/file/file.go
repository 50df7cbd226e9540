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
	err := r.object(func(key string) error {
		var to any
		switch key {
		case "version":
			at := r.i
			version, err := r.skip()
			if err == nil && version != `"1.0"` {
				return mistake("%s: version %s, expected \"1.0\"", r.place(at), version)
			}
			return err
		case "model":
			found = r.peek() == '{'
			if found {
				return f.Model.read(&r)
			}
		case "added_tokens":
			to = &f.AddedTokens
		case "normalizer":
			to = &f.Normalizer
		case "pre_tokenizer":
			to = &f.PreTokenizer
		case "post_processor":
			to = &f.PostProcessor
		case "decoder":
			to = &f.Decoder
		}
		at := r.i
		section, err := r.skip()
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
