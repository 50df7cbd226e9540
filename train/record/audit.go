package record

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"instruct/checkpoints"
)

// AuditOptions are what is held against a ledger beside the files.
type AuditOptions struct {
	Head   string                 // the hash of an entry that must be there; "": none
	Reads  func(path string) bool // tells of a file that no entry names whether anything would be read from it
	Inside bool                   // files elsewhere are not read
	Done   func(n, of int)        // is told how many files were read; may be nil
}

// Audit is what became of a folder that was held against its ledger.
type Audit struct {
	Folder  string   `json:"folder"`
	Holds   bool     `json:"holds"`
	Entries int      `json:"entries"`
	Files   int      `json:"files"` // of the folder that were read
	Outside int      `json:"outside"`
	Head    string   `json:"head"` // sha256 of the last line
	Checks  []Check  `json:"checks"`
	Notes   []string `json:"notes"`
}

// Check is one thing that was held against a record; Detail says what differs.
type Check struct {
	Name   string `json:"name"`
	Holds  bool   `json:"holds"`
	Detail string `json:"detail,omitempty"`
	Entry  int    `json:"entry,omitempty"` // of the ledger, from 1
}

// audit is an audit on its way.
type audit struct {
	Audit
	o       AuditOptions
	dir     string
	entries []Entry
	done    int
	of      int
}

// Verify holds a folder against its ledger: the chain, every file that it names, and files that it does not name but
// that would be read. Files outside of the folder that are not here are notes: the ledger has their hashes.
func Verify(ctx context.Context, dir string, o AuditOptions) (*Audit, error) {
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return nil, mistake("audit %s: it is no folder; name that of a run or a behaviour", dir)
	}
	a := &audit{o: o, dir: dir}
	a.Folder, a.Checks, a.Notes = dir, []Check{}, []string{}
	var err error
	if a.entries, err = Read(dir); err != nil {
		return nil, err
	}
	if len(a.entries) == 0 {
		return nil, mistake("audit %s: it has no %s: it is no folder of a run or a behaviour, the run was stopped before "+
			"its first checkpoint, or an older program made it", dir, File)
	}
	a.Entries = len(a.entries)
	a.chain()
	if err := a.files(ctx); err != nil {
		return nil, err
	}
	a.Holds = !slices.ContainsFunc(a.Checks, func(c Check) bool { return !c.Holds })
	return &a.Audit, nil
}

// chain notes what is wrong with the ledger itself.
func (a *audit) chain() {
	whole := true
	unchained := 0
	for i := range a.entries {
		e := &a.entries[i]
		if e.Damage != "" {
			whole = false
			a.Checks = append(a.Checks, Check{Name: File, Detail: fmt.Sprintf("%v %s", e, e.Damage), Entry: e.Number})
		}
		if e.Unchained && e.Damage == "" {
			unchained++
		}
	}
	a.Head = a.entries[len(a.entries)-1].Hash()
	if unchained == len(a.entries) {
		whole = false
		a.Checks = append(a.Checks, Check{Name: File,
			Detail: "an older program wrote all of it, without a chain: the next round begins one"})
	} else if unchained > 0 {
		a.Notes = append(a.Notes, fmt.Sprintf("entries 1 to %d are of an older program and had no chain; entry %d has the "+
			"hash of all of them, as they were then", unchained, unchained+1))
	}
	if whole {
		a.Checks = append(a.Checks, Check{Name: File, Holds: true})
	}
	if a.o.Head == "" {
		return
	}
	at := slices.IndexFunc(a.entries, func(e Entry) bool { return e.Hash() == a.o.Head })
	out := slices.IndexFunc(a.entries, func(e Entry) bool { return e.Before == a.o.Head })
	switch {
	case at < 0 && out >= 0:
		e := &a.entries[out]
		a.Checks = append(a.Checks, Check{Name: "head", Entry: e.Number, Detail: fmt.Sprintf("that entry and others were "+
			"taken out when %v was written, which says so (%s, %s)", e, e.Author, e.Time)})
	case at < 0:
		a.Checks = append(a.Checks, Check{Name: "head", Detail: fmt.Sprintf("no entry has the hash %s: entries were cut off "+
			"behind entry %d, or changed", a.o.Head, len(a.entries))})
	case at < len(a.entries)-1:
		a.Checks = append(a.Checks, Check{Name: "head", Holds: true, Entry: at + 1})
		a.Notes = append(a.Notes, fmt.Sprintf("that head is of entry %d; later entries: %d", at+1, len(a.entries)-1-at))
	default:
		a.Checks = append(a.Checks, Check{Name: "head", Holds: true, Entry: at + 1})
	}
}

// files reads every file that the ledger names.
func (a *audit) files(ctx context.Context) error {
	own, outside := Standing(a.entries)
	if a.o.Inside {
		outside = nil
	}
	a.of = len(own) + len(outside)
	gone := map[string]bool{}
	for _, path := range slices.Sorted(maps.Keys(own)) {
		if err := ctx.Err(); err != nil {
			return err
		}
		folder := filepath.ToSlash(filepath.Dir(path))
		if _, err := os.Stat(filepath.Join(a.dir, folder)); err != nil { // one word for all of them
			if !gone[folder] {
				gone[folder] = true
				a.note(folder, own[path], Check{Detail: "is gone"})
			}
			continue
		}
		wrong, there := a.differs(filepath.Join(a.dir, filepath.FromSlash(path)), own[path].Hash)
		if !there && !wrong.Holds {
			wrong.Detail = "is gone"
		}
		a.Files++
		a.note(path, own[path], wrong)
	}
	var missing []string
	for _, path := range slices.Sorted(maps.Keys(outside)) {
		if err := ctx.Err(); err != nil {
			return err
		}
		at := filepath.FromSlash(path)
		if !filepath.IsAbs(at) {
			at = filepath.Join(a.dir, at)
		}
		wrong, there := a.differs(at, outside[path].Hash)
		if !there {
			missing = append(missing, path)
			continue
		}
		a.Outside++
		a.note(path, outside[path], wrong)
	}
	if len(missing) > 0 {
		a.Notes = append(a.Notes, "not here, so not read: "+strings.Join(missing, ", "))
	}
	return a.strangers(own)
}

// differs reads a file.
func (a *audit) differs(path, recorded string) (c Check, there bool) {
	a.done++
	if a.o.Done != nil {
		defer func() { a.o.Done(a.done, a.of) }()
	}
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() {
		return c, false
	}
	now, err := checkpoints.HashFile(path)
	switch {
	case err != nil:
		c.Detail = checkpoints.Reason(err)
	case now != recorded:
		c.Detail = fmt.Sprintf("recorded sha256 %s, now %s", recorded, now)
	default:
		c.Holds = true
	}
	return c, true
}

// note keeps a file that differs; those that do not are only counted.
func (a *audit) note(path string, n Named, c Check) {
	if c.Holds {
		return
	}
	c.Name, c.Entry, c.Detail = path, n.Entry.Number, fmt.Sprintf("%v: %s", n.Entry, c.Detail)
	a.Checks = append(a.Checks, c)
}

// strangers are files of the folder that no entry names.
func (a *audit) strangers(own map[string]Named) error {
	all, err := list(a.dir, ".")
	if err != nil {
		return err
	}
	var others []string
	for _, path := range all {
		if _, ok := own[path]; ok {
			continue
		}
		if a.o.Reads != nil && a.o.Reads(path) {
			a.Checks = append(a.Checks, Check{Name: path, Detail: "no entry names it: it came later, or from elsewhere"})
			continue
		}
		others = append(others, path)
	}
	if n := len(others); n > 0 {
		a.Notes = append(a.Notes, fmt.Sprintf("files that no entry names and nothing is read from: %d (%s)", n,
			strings.Join(others[:min(n, 5)], ", ")))
	}
	return nil
}
