package data

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// replacedColumn marks a key of a row whose name another column has taken.
const replacedColumn = " (replaced by columns)"

// checkColumns wants keys that a format knows.
func checkColumns(columns map[string]string) error {
	known := map[string]bool{"kind": true}
	for _, f := range formats() {
		for _, key := range append(slices.Clone(f.required), f.optional...) {
			known[key] = true
		}
	}
	from := map[string]string{}
	for _, key := range slices.Sorted(maps.Keys(columns)) {
		column := columns[key]
		switch {
		case !known[key]:
			return mistake("data: columns: %q is a key of no format; it is KEY=COLUMN, and the keys are %s",
				key, strings.Join(slices.Sorted(maps.Keys(known)), ", "))
		case column == "":
			return mistake("data: columns: no column is named for %q", key)
		case from[column] != "":
			return mistake("data: columns: the column %q is named for %q and %q", column, from[column], key)
		}
		from[column] = key
	}
	return nil
}

// columnMap renames the columns of one file.
type columnMap struct {
	keys  map[string]string // key of a format -> column
	found map[string]bool   // by key
	first string            // the keys of the first row
}

func newColumnMap(keys map[string]string) *columnMap {
	return &columnMap{keys: keys, found: map[string]bool{}}
}

// rename gives the values of a record the names of keys. A column is named exactly, or but for its case.
func (m *columnMap) rename(r *record) {
	if len(m.keys) == 0 || r.values == nil {
		return
	}
	if m.first == "" {
		m.first = keyList(r.keys())
	}
	taken := map[string]string{} // column -> key
	for key, column := range m.keys {
		if name, ok := columnOf(r.values, column); ok {
			taken[name] = key
			m.found[key] = true
		}
	}
	newName := func(name string) string {
		if key, ok := taken[name]; ok {
			return key
		}
		if slices.Contains(slices.Collect(maps.Values(taken)), name) {
			return name + replacedColumn
		}
		return name
	}
	values := make(map[string]any, len(r.values))
	for name, v := range r.values {
		values[newName(name)] = v
	}
	r.values = values
	var parts map[string]json.RawMessage
	if r.raw == nil || json.Unmarshal(r.raw, &parts) != nil {
		return
	}
	renamed := make(map[string]json.RawMessage, len(parts))
	for name, v := range parts {
		renamed[newName(name)] = v
	}
	r.raw, _ = json.Marshal(renamed) // parts of JSON are some
}

// columnOf finds a column of a row.
func columnOf(values map[string]any, column string) (string, bool) {
	if _, ok := values[column]; ok {
		return column, true
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if strings.EqualFold(strings.TrimSpace(name), strings.TrimSpace(column)) {
			return name, true
		}
	}
	return "", false
}

// missing is the error of columns that no row of the file had so far; nil where there are none.
func (m *columnMap) missing(path string) error {
	var names []string
	for _, key := range slices.Sorted(maps.Keys(m.keys)) {
		if !m.found[key] {
			names = append(names, m.keys[key])
		}
	}
	if len(names) == 0 || m.first == "" {
		return nil
	}
	return mistake("data: %s has no column %s, which `columns` names; the first row has %s",
		path, strings.Join(names, ", "), m.first)
}
