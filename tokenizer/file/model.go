package file

import (
	"encoding/json"
	"strings"
)

// modelJSON is the model section of tokenizer.json without its large parts. Dropout, which is for training, is ignored.
type modelJSON struct {
	Type         string  `json:"type"`
	UnkToken     *string `json:"unk_token"`
	UnkID        *int    `json:"unk_id"`
	MaxChars     *int    `json:"max_input_chars_per_word"`
	Prefix       *string `json:"continuing_subword_prefix"`
	Suffix       *string `json:"end_of_word_suffix"`
	FuseUnk      bool    `json:"fuse_unk"`
	ByteFallback bool    `json:"byte_fallback"`
	IgnoreMerges bool    `json:"ignore_merges"`
}

// Model is the model section, with the places of its large parts in the file.
type Model struct {
	modelJSON
	src           string // tokenizer.json
	vocab, merges int    // where they begin; 0: absent
}

// read reads the section at which r stands.
func (m *Model) read(r *jsonReader) error {
	start := r.i
	small := []byte{'{'}
	err := r.object(func(key string) error {
		r.peek()
		switch key {
		case "vocab":
			m.vocab = r.i
		case "merges":
			m.merges = r.i
		}
		value, err := r.skip()
		if err != nil || key == "vocab" || key == "merges" {
			return err
		}
		if len(small) > 1 {
			small = append(small, ',')
		}
		name, err := json.Marshal(key)
		small = append(append(append(small, name...), ':'), value...)
		return err
	})
	if err != nil {
		return err
	}
	if err := json.Unmarshal(append(small, '}'), &m.modelJSON); err != nil {
		return mistake("%s: model: %w", r.place(start), err)
	}
	if m.Type == "" { // files of old versions do not say
		switch {
		case m.merges > 0:
			m.Type = "BPE"
		case m.listed():
			m.Type = "Unigram"
		case m.Prefix != nil:
			m.Type = "WordPiece"
		default:
			m.Type = "WordLevel"
		}
	}
	return nil
}

// listed reports that the vocabulary is a list of tokens and scores, as Unigram has it.
func (m *Model) listed() bool {
	return m.vocab > 0 && m.vocab < len(m.src) && m.src[m.vocab] == '['
}

// EachToken gives the vocabulary in the file's order.
func (m *Model) EachToken(enter func(text string, id int64) error) error {
	if m.Type == "Unigram" {
		id := int64(0)
		return m.EachPiece(func(text string, _ float64) error {
			err := enter(text, id)
			id++
			return err
		})
	}
	r := jsonReader{name: "tokenizer.json", s: m.src, i: m.vocab}
	return r.object(func(text string) error {
		id, err := r.integer()
		if err != nil {
			return err
		}
		return enter(text, id)
	})
}

// EachPiece gives the vocabulary of Unigram: tokens, by id, with their scores.
func (m *Model) EachPiece(enter func(text string, score float64) error) error {
	r := jsonReader{name: "tokenizer.json", s: m.src, i: m.vocab}
	return r.array(func() error {
		var text string
		var score float64
		k := 0
		err := r.array(func() (err error) {
			k++
			switch k {
			case 1:
				text, err = r.text()
			case 2:
				score, err = r.number()
			default:
				err = r.fail("a token and its score, nothing more")
			}
			return err
		})
		if err == nil && k != 2 {
			err = r.fail("a token and its score")
		}
		if err != nil {
			return err
		}
		return enter(text, score)
	})
}

// EachMerge gives the merges, which files write as "a b" or as ["a", "b"].
func (m *Model) EachMerge(enter func(left, right string) error) error {
	if m.merges == 0 {
		return nil
	}
	r := jsonReader{name: "tokenizer.json", s: m.src, i: m.merges}
	n := 0
	return r.array(func() error {
		n++
		if r.peek() == '[' {
			var pair [2]string
			k := 0
			err := r.array(func() error {
				text, err := r.text()
				if k < 2 {
					pair[k] = text
				}
				k++
				return err
			})
			if err != nil {
				return err
			}
			if k != 2 {
				return mistake("tokenizer.json: merge %d has %d tokens, expected two", n-1, k)
			}
			return enter(pair[0], pair[1])
		}
		line, err := r.text()
		if err != nil {
			return err
		}
		if strings.HasPrefix(line, "#version") {
			n--
			return nil
		}
		left, right, ok := cutMerge(line)
		if !ok {
			return mistake("tokenizer.json: merge %d is %q, expected two tokens with a space between", n-1, line)
		}
		return enter(left, right)
	})
}

// cutMerge reads a merge that is written as two tokens with a space between.
func cutMerge(line string) (left, right string, ok bool) {
	left, right, ok = strings.Cut(line, " ")
	return left, right, ok && !strings.Contains(right, " ")
}

// check rejects models that are not supported.
func (m *Model) check() error {
	switch m.Type {
	case "BPE", "WordPiece", "WordLevel", "Unigram":
	default:
		return mistake("tokenizer.json: model %q is not supported (known: BPE, WordPiece, WordLevel, Unigram)", m.Type)
	}
	if m.vocab == 0 || m.Type == "BPE" && m.merges == 0 {
		return mistake("tokenizer.json: model: no vocab or no merges")
	}
	return nil
}
