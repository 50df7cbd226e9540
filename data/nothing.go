package data

// nothing says that a value says nothing: null, and an empty text, list or object. A key with such a value is a key
// that is not there: programs fill the keys of other rows with nulls, and tables with empty cells.
//
// Inside the JSON that a template shows (tools, tool_calls, chat_template_kwargs) nothing is only what certainly is:
// the nulls of a Parquet file, whose columns are those of all rows, so [readParquet] drops the keys of its groups that
// are null. A null in the JSON of a text file may be meant ("default": null), and stays.
func nothing(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case string:
		return v == ""
	case []any:
		return len(v) == 0
	case map[string]any:
		return len(v) == 0
	}
	return false
}

// given is the value of a key, or nil where it says nothing.
func (r *record) given(key string) any {
	if v := r.values[key]; !nothing(v) {
		return v
	}
	return nil
}

// gives says that every one of the keys says something.
func (r *record) gives(keys []string) bool {
	for _, key := range keys {
		if r.given(key) == nil {
			return false
		}
	}
	return true
}
