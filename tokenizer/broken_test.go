package tokenizer

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
)

func wantUserError(t testing.TB, name string, err error, want string) {
	t.Helper()
	var user interface{ UserError() bool }
	if err == nil || !strings.Contains(err.Error(), want) || !errors.As(err, &user) || !user.UserError() {
		t.Errorf("%s: %v, want a user error with %q", name, err, want)
	}
}

// TestBrokenFiles parses 1,000 broken tokenizer.json files: cut off, with bytes changed, left out or put in twice, with
// values of another type. Each is a user error that says where or what, or is a tokenizer that works.
func TestBrokenFiles(t *testing.T) {
	vectors := readModels(t)
	rng := rand.New(rand.NewPCG(5, 6))
	var junk = []string{"null", "-1", "1e99", "[]", "{}", `""`, "true", `"\ud800"`, "99999999999", `["a","b","c"]`, "\x00",
		"\xff", "]", "}"}
	failed, worked := 0, 0
	for i := range 1000 {
		src := bytes.Clone(vectors.Variants[i%len(vectors.Variants)].File)
		at := rng.IntN(len(src))
		if rng.IntN(2) == 0 {
			at = rng.IntN(min(len(src), 2000)) // where the small sections are
		}
		kind := i / len(vectors.Variants) % 5
		switch kind {
		case 0:
			src = src[:at]
		case 1:
			src[at] ^= byte(1 + rng.IntN(255))
		case 2:
			src = append(src[:at], src[min(at+1+rng.IntN(20), len(src)):]...)
		case 3:
			part := bytes.Clone(src[at:min(at+1+rng.IntN(50), len(src))])
			src = append(src[:at], append(part, src[at:]...)...)
		case 4: // another value after a colon
			if k := bytes.IndexByte(src[at:], ':'); k >= 0 {
				at += k + 1
			}
			end := min(at+1, len(src))
			for end < len(src) && bytes.IndexByte([]byte(",}]"), src[end]) < 0 {
				end++
			}
			src = append(append(bytes.Clone(src[:at]), junk[rng.IntN(len(junk))]...), src[end:]...)
		}
		tok, err := Parse(src, nil)
		if err != nil {
			failed++
			var user interface{ UserError() bool }
			if !errors.As(err, &user) || len(err.Error()) < 15 || len(err.Error()) > 1000 {
				t.Fatalf("file %d: %T %v", i, err, err)
			}
			if kind == 0 && !strings.Contains(err.Error(), "cut short") {
				t.Errorf("file %d, cut at byte %d: %v", i, at, err)
			}
			continue
		}
		if kind == 0 {
			t.Errorf("file %d, cut at byte %d of it, is taken", i, at)
		}
		worked++
		for _, text := range vectors.Texts {
			ids := tok.Encode(text, true)
			if _, err := tok.Decode(ids, true); err != nil {
				t.Fatalf("file %d: %v", i, err)
			}
		}
	}
	t.Logf("%d errors, %d tokenizers", failed, worked)
	if failed < 500 {
		t.Errorf("only %d of 1,000 files are errors", failed)
	}
}
