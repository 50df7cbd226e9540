package data

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
	"maps"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
)

// Audit accounts for every row: Rows = Examples + the sum of Dropped.
type Audit struct {
	Rows     int `json:"rows"`
	Examples int `json:"examples"`
	// Tokens and TrainedTokens count the examples. Inputs are the positions that go through the model: those before
	// the last trained token of each example.
	Tokens        int `json:"tokens"`
	Inputs        int `json:"inputs"`
	TrainedTokens int `json:"trained_tokens"`
	// Longest and MeanLength are in tokens, of the examples as they are trained; LongestSource says which it is.
	Longest       int     `json:"longest"`
	LongestSource string  `json:"longest_source"`
	MeanLength    float64 `json:"mean_length"`
	MeanTrained   float64 `json:"mean_trained"`
	// Pieces is how many pieces the plain texts that are longer than max_length are trained in.
	Pieces int `json:"pieces,omitempty"`
	// Truncated counts examples cut at max_length, TruncatedTokens what they lost and TruncatedTrained how much of
	// that was to be trained.
	Truncated        int `json:"truncated"`
	TruncatedTokens  int `json:"truncated_tokens"`
	TruncatedTrained int `json:"truncated_trained_tokens"`
	// Dropped counts rows that give no example, by reason; DroppedRows names them, up to 100,000.
	Dropped     map[string]int `json:"dropped"`
	DroppedRows []DroppedRow   `json:"dropped_rows"`
	// Withheld counts the examples that drop_rows names, WithheldTokens what of them would be trained. They are among
	// Examples and Tokens, and not in TrainedTokens; the hash is that of a mask without them.
	Withheld       int `json:"withheld,omitempty"`
	WithheldTokens int `json:"withheld_tokens,omitempty"`
	// Straddling counts trained tokens that lie across the border of a trained span.
	Straddling int `json:"straddling_tokens"`
	// Unended counts examples whose last trained token does not end an answer: they do not teach to stop.
	Unended int `json:"unended"`
	// IgnoredKeys counts the rows that have a key which their format does not use, by key.
	IgnoredKeys map[string]int `json:"ignored_keys"`
	// Unused counts the rows that have a part (content, reasoning_content, tool_calls, tools) of which the template
	// shows nothing, by part.
	Unused map[string]int `json:"unused_by_template"`
	// Findings are what [Audit.Notes] says.
	Findings []Finding `json:"findings"`
	// Sources has the figures of each file, in the order of the files.
	Sources []SourceAudit `json:"sources"`
	// Hash is that of the function Hash, over all examples. It stands in run.json too.
	Hash string `json:"hash"`

	sources                    map[string]int
	hash                       exampleHash
	talks, openTalks, cutTalks int // conversations that are examples, those that do not end, those of them that are cut
}

// DroppedRow is a row that gives no example.
type DroppedRow struct {
	Source string `json:"source"`
	Reason string `json:"reason"`
}

// SourceAudit has the figures of one file.
type SourceAudit struct {
	Path          string `json:"path"`
	Rows          int    `json:"rows"`
	Examples      int    `json:"examples"`
	Tokens        int    `json:"tokens"`
	TrainedTokens int    `json:"trained_tokens"`
}

func newAudit() *Audit {
	return &Audit{
		Dropped: map[string]int{}, IgnoredKeys: map[string]int{}, Unused: map[string]int{},
		DroppedRows: []DroppedRow{}, Findings: []Finding{}, Sources: []SourceAudit{}, sources: map[string]int{},
		hash: newExampleHash(),
	}
}

// add counts one row, and gives the figures of its file.
func (a *Audit) add(row *Row, example *Example, outcome *Outcome) *SourceAudit {
	path := row.Source
	if i := strings.LastIndexByte(path, ':'); i >= 0 {
		path = path[:i]
	}
	at, ok := a.sources[path]
	if !ok {
		at = len(a.Sources)
		a.sources[path] = at
		a.Sources = append(a.Sources, SourceAudit{Path: path})
	}
	source := &a.Sources[at]
	a.Rows++
	source.Rows++
	a.find(row, outcome)
	if outcome.Dropped != "" {
		a.Dropped[outcome.Dropped]++
		if len(a.DroppedRows) < namedDropped {
			a.DroppedRows = append(a.DroppedRows, DroppedRow{row.Source, outcome.Dropped})
		}
		return source
	}
	a.Examples++
	source.Examples++
	for piece := range example.pieces(outcome.piece) {
		a.count(source, piece)
	}
	a.Pieces += outcome.Pieces
	if outcome.Truncated > 0 {
		a.Truncated++
		a.TruncatedTokens += outcome.Truncated
		a.TruncatedTrained += outcome.TruncatedTrained
	}
	if outcome.Unended {
		a.Unended++
	}
	return source
}

// count counts the tokens of an example.
func (a *Audit) count(source *SourceAudit, example *Example) {
	trained := example.Trained()
	a.hash.add(example)
	if example.Withheld {
		a.Withheld++
		a.WithheldTokens += trained
		trained = 0
	}
	a.Tokens += len(example.IDs)
	a.Inputs += example.Inputs()
	a.TrainedTokens += trained
	a.Straddling += len(example.Straddling)
	source.Tokens += len(example.IDs)
	source.TrainedTokens += trained
	if len(example.IDs) > a.Longest {
		a.Longest = len(example.IDs)
		a.LongestSource = example.Source
	}
}

// find counts what is to be said of a row.
func (a *Audit) find(row *Row, outcome *Outcome) {
	for _, key := range row.Ignored {
		a.IgnoredKeys[key]++
		a.found(foundIgnored, strconv.Quote(key), row.Source)
	}
	for i, part := range outcome.Unused {
		if !slices.Contains(outcome.Unused[:i], part) {
			a.Unused[part]++
			a.found(foundUnused, part, row.Source)
		}
	}
	for _, role := range row.Mapped {
		a.found(foundMapped, role, row.Source)
	}
	cutEnd := outcome.TruncatedTrained > 0 && outcome.Unended
	for _, f := range []struct {
		is           bool
		kind, detail string
	}{
		{outcome.Dropped != "", foundDropped, outcome.Dropped},
		{outcome.Truncated > 0 && outcome.Dropped == "", foundCut, ""},
		{outcome.Pieces > 0 && outcome.Dropped == "", foundPieces, ""},
		{cutEnd && outcome.Dropped == "" && row.Messages != nil, foundCutEnd, ""}, // text has no answers
		{outcome.Unended && !cutEnd, foundUnended, ""},
		{row.Silent, foundSilent, ""},
		{outcome.Special, foundSpecial, ""},
		{outcome.Doubled, foundDoubled, ""},
	} {
		if f.is {
			a.found(f.kind, f.detail, row.Source)
		}
	}
	if outcome.Dropped != "" || row.Messages == nil {
		return
	}
	a.talks++
	if outcome.Unended {
		a.openTalks++
	}
	if cutEnd {
		a.cutTalks++
	}
}

// finish computes the means and the hash.
func (a *Audit) finish() {
	if a.Examples > 0 {
		a.MeanLength = float64(a.Tokens) / float64(a.Examples)
		a.MeanTrained = float64(a.TrainedTokens) / float64(a.Examples)
	}
	a.Hash = a.hash.text()
}

// Hash is the sha256, in hexadecimal, of the ids and the masks of examples in order: with the same one, a model is
// trained on the same tokens.
func Hash(examples []Example) string {
	h := newExampleHash()
	for i := range examples {
		h.add(&examples[i])
	}
	return h.text()
}

// exampleHash is what Hash makes of one example after the other.
type exampleHash struct {
	sum hash.Hash
	buf []byte
}

func newExampleHash() exampleHash { return exampleHash{sum: sha256.New()} }

func (h *exampleHash) add(e *Example) {
	buf := binary.LittleEndian.AppendUint32(h.buf[:0], uint32(len(e.IDs)))
	for _, id := range e.IDs {
		buf = binary.LittleEndian.AppendUint32(buf, uint32(id))
	}
	for _, trained := range e.Mask {
		if trained && !e.Withheld {
			buf = append(buf, 1)
		} else {
			buf = append(buf, 0)
		}
	}
	h.buf = buf
	h.sum.Write(buf)
}

func (h *exampleHash) text() string { return hex.EncodeToString(h.sum.Sum(nil)) }

// namedDropped is how many dropped rows are kept by name; the first ones.
const namedDropped = 100_000

// shownDropped is how many dropped rows the table names.
const shownDropped = 5

// line is one line of the table.
type line struct{ Name, Text string }

// lines is the audit as a table.
func (a *Audit) lines() []line {
	var out []line
	add := func(name, format string, args ...any) { out = append(out, line{name, fmt.Sprintf(format, args...)}) }
	add("rows", "%d", a.Rows)
	add("examples", "%d", a.Examples)
	for _, reason := range slices.Sorted(maps.Keys(a.Dropped)) {
		add("dropped", "%d: %s", a.Dropped[reason], reason)
	}
	for i, row := range a.DroppedRows {
		if i == shownDropped {
			add("", "... and %d more", a.Rows-a.Examples-i)
			break
		}
		add("", "%s", row.Source)
	}
	add("tokens", "%d", a.Tokens)
	share := 0.0
	if a.Tokens > 0 {
		share = 100 * float64(a.TrainedTokens) / float64(a.Tokens)
	}
	add("trained tokens", "%d (%.1f %%)", a.TrainedTokens, share)
	if a.Withheld > 0 {
		add("withheld", "%d examples with %d tokens that are not trained, by drop_rows", a.Withheld, a.WithheldTokens)
	}
	add("model inputs", "%d", a.Inputs)
	add("mean length", "%.1f tokens, %.1f trained", a.MeanLength, a.MeanTrained)
	if a.Examples > 0 {
		add("longest", "%d tokens, %s", a.Longest, a.LongestSource)
	}
	if a.Truncated > 0 {
		add("truncated", "%d rows by %d tokens, %d of them trained", a.Truncated, a.TruncatedTokens, a.TruncatedTrained)
	}
	if a.Straddling > 0 {
		add("straddling", "%d tokens lie across the border of the trained text", a.Straddling)
	}
	for _, note := range a.notes() {
		if note.Name != foundDropped && note.Name != foundCut { // above, with their tokens
			out = append(out, note)
		}
	}
	if len(a.Sources) > 1 {
		for _, s := range a.Sources {
			add("source", "%s: %d rows, %d examples, %d tokens, %d trained",
				s.Path, s.Rows, s.Examples, s.Tokens, s.TrainedTokens)
		}
	}
	add("hash", "%s", a.Hash)
	return out
}

// String is the audit as a table.
func (a *Audit) String() string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, l := range a.lines() {
		fmt.Fprintf(w, "%s\t%s\n", l.Name, l.Text)
	}
	w.Flush()
	return b.String()
}
