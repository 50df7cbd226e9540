package data

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Places name rows as every message does, path:line (Parquet: path:row), to be withheld: nothing of them is trained,
// and they keep their slots. A name means a row whose file has that path, or one that ends with it. The nil value names
// none.
type Places struct {
	all   []*namedRow
	lines map[string]map[string][]*namedRow // by the files that were met, and by line
}

// namedRow is one name, and what was found of it.
type namedRow struct {
	name, file, line string
	files            []string // that have such a row
	trained, heldOut bool     // rows of it are
	left             string   // why it gives nothing to train on
}

// ReadPlaces reads names of rows. @FILE stands for the names in a file, one a line.
func ReadPlaces(names []string) (*Places, error) {
	p := &Places{lines: map[string]map[string][]*namedRow{}}
	for _, name := range names {
		file, ok := strings.CutPrefix(name, "@")
		if !ok {
			if err := p.add(name, ""); err != nil {
				return nil, err
			}
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, mistake("drop_rows: %w; @ stands before a file with a row (path:line) a line", err)
		}
		number := 0
		for line := range strings.Lines(string(text)) {
			number++
			if line = strings.TrimSpace(line); line == "" {
				continue
			}
			if err := p.add(line, sourceLine(file, number)+": "); err != nil {
				return nil, err
			}
		}
	}
	return p, nil
}

// add adds a name that stands at some place.
func (p *Places) add(name, at string) error {
	file, line := cutPlace(name)
	if n, err := strconv.Atoi(line); err != nil || n < 1 || file == "" {
		return mistake("drop_rows: %s%.80q names no row; expected path:line, such as rows.jsonl:12", at, name)
	}
	if !slices.ContainsFunc(p.all, func(x *namedRow) bool { return x.name == name }) {
		p.all = append(p.all, &namedRow{name: name, file: filepath.ToSlash(filepath.Clean(file)), line: line})
	}
	return nil
}

// cutPlace divides path:line.
func cutPlace(name string) (file, line string) {
	i := strings.LastIndexByte(name, ':')
	if i < 0 {
		return name, ""
	}
	return name[:i], name[i+1:]
}

// withholds tells whether a row is named, and keeps what becomes of it: left is why it gives nothing to train on.
func (p *Places) withholds(source string, heldOut bool, left string) bool {
	if p == nil {
		return false
	}
	file, line := cutPlace(source)
	lines, ok := p.lines[file]
	if !ok {
		lines = map[string][]*namedRow{}
		for _, x := range p.all {
			if x.means(file) {
				lines[x.line] = append(lines[x.line], x)
			}
		}
		p.lines[file] = lines
	}
	for _, x := range lines[line] {
		if !slices.Contains(x.files, file) {
			x.files = append(x.files, file)
		}
		x.heldOut = x.heldOut || heldOut
		x.trained = x.trained || !heldOut && left == ""
		if left != "" {
			x.left = left
		}
	}
	return len(lines[line]) > 0 && !heldOut
}

// means tells whether the name's path is that of a file of the data set, or the end of it.
func (x *namedRow) means(file string) bool {
	clean := filepath.ToSlash(filepath.Clean(file))
	if clean == x.file || strings.HasSuffix(clean, "/"+x.file) {
		return true
	}
	a, errA := filepath.Abs(file)
	b, errB := filepath.Abs(filepath.FromSlash(x.file))
	return errA == nil && errB == nil && a == b
}

// Len is how many rows are named.
func (p *Places) Len() int {
	if p == nil {
		return 0
	}
	return len(p.all)
}

// Names are the places in their short form, once the rows were read: the name of the file alone, where no other has it.
func (p *Places) Names() []string {
	var names []string
	for _, x := range p.all {
		name := x.name
		if len(x.files) > 0 {
			name = p.short(x.files[0]) + ":" + x.line
		}
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

func (p *Places) short(file string) string {
	base := filepath.Base(file)
	for other := range p.lines {
		if other != file && filepath.Base(other) == base {
			return file
		}
	}
	return base
}

// shownPlaces is how many rows an error names.
const shownPlaces = 10

// Check refuses places of which no row is trained, or of which it is not clear what they mean; partly says that not all
// rows were read. The notes are of those that are not trained anyway.
func (p *Places) Check(partly bool) (notes []string, err error) {
	if p == nil {
		return nil, nil
	}
	var wrong []string
	unread := 0
	for _, x := range p.all {
		switch {
		case len(x.files) > 1:
			wrong = append(wrong, fmt.Sprintf("%s may be of %s: write more of the path", x.name,
				strings.Join(x.files, " or of ")))
		case x.trained:
		case x.left != "" && !x.heldOut:
			notes = append(notes, fmt.Sprintf("drop_rows: %s is not trained anyway: %s", x.name, x.left))
		case x.heldOut:
			wrong = append(wrong, x.name+" is held out, so nothing of it is trained")
		case partly && p.knows(x):
			unread++
		default:
			wrong = append(wrong, x.name+" is no row of the data set")
		}
	}
	if unread > 0 {
		notes = append(notes, fmt.Sprintf("drop_rows: %d of the rows are not among those that were read", unread))
	}
	if n := len(wrong) - shownPlaces; n > 0 {
		wrong = append(wrong[:shownPlaces], fmt.Sprintf("and %d more", n))
	}
	if len(wrong) > 0 {
		return nil, mistake("drop_rows: %s", strings.Join(wrong, "; "))
	}
	return notes, nil
}

// knows tells whether a file of the data set was met that the place means.
func (p *Places) knows(x *namedRow) bool {
	for file := range p.lines {
		if x.means(file) {
			return true
		}
	}
	return false
}
