package data

import (
	"encoding/binary"
	"fmt"
	"io"
	"reflect"

	"github.com/parquet-go/parquet-go"
)

// readParquet reads the rows of a Parquet file; lists and groups may be nested. The source of a row is path:row,
// from 1.
func readParquet(in *input, yield func(*record) error) (err error) {
	path := in.path
	// The library answers some damaged files with a panic.
	reading := true
	defer func() {
		if p := recover(); p != nil {
			if !reading {
				panic(p)
			}
			err = mistake("data: read %s: the Parquet file is damaged: %v", path, p)
		}
	}()
	// The library believes the length of the footer, which stands before the last four bytes, and allocates it.
	var tail [8]byte
	if in.size >= 12 {
		if _, err := in.file.ReadAt(tail[:], in.size-8); err != nil {
			return in.fail(err)
		}
	}
	if in.size >= 12 && int64(binary.LittleEndian.Uint32(tail[:])) > in.size-12 {
		return mistake("data: read %s: no Parquet file, or a cut one: its footer is said to be longer than the file", path)
	}
	file, err := parquet.OpenFile(in.file, in.size)
	if err != nil {
		return mistake("data: read %s: no Parquet file: %w", path, err)
	}
	dictionaries, err := checkParquet(in, file)
	if err != nil {
		return err
	}
	reader := parquet.NewGenericReader[map[string]any](file, file.Schema())
	defer reader.Close()
	// Each row at hand has its own copy of what a dictionary has once.
	rows := make([]map[string]any, max(1, min(64, parquetRows/2/max(1, dictionaries))))
	number := 0
	left := parquetRows + parquetRowsPacked*in.size // bytes
	for {
		clear(rows)
		for i := range rows {
			rows[i] = map[string]any{}
		}
		reading = true
		n, err := reader.Read(rows)
		reading = false
		for _, row := range rows[:n] {
			number++
			r := &record{source: sourceLine(path, number), values: make(map[string]any, len(row))}
			for key, v := range row {
				r.values[key] = plainValue(v)
				left -= textBytes(r.values[key])
			}
			if left < 0 {
				return mistake("data: read %s, row %d: the rows up to here have more text than a file of %d bytes can hold; it is "+
					"damaged, or made to harm", path, number, in.size)
			}
			if err := yield(r); err != nil {
				return err
			}
		}
		switch {
		case err == io.EOF:
			return nil
		case err != nil:
			return mistake("data: read %s, row %d: %w", path, number+1, err)
		case n == 0:
			return fmt.Errorf("data: read %s: no progress at row %d", path, number+1)
		}
	}
}

// plainValue turns a value of the library into one of those of encoding/json, without the keys of groups that are
// null.
func plainValue(v any) any {
	switch v := v.(type) {
	case nil, string, bool, float64:
		return v
	case []byte:
		return string(v)
	case map[string]any:
		if list, ok := oldList(v); ok {
			return list
		}
		out := make(map[string]any, len(v))
		for key, item := range v {
			if item = plainValue(item); item != nil { // a null fills the key of other rows: see nothing
				out[key] = item
			}
		}
		return out
	}
	r := reflect.ValueOf(v)
	switch r.Kind() {
	case reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64, reflect.Int:
		return float64(r.Int())
	case reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uint:
		return float64(r.Uint())
	case reflect.Float32:
		return r.Float()
	case reflect.Slice:
		list := make([]any, r.Len())
		for i := range list {
			list[i] = plainValue(r.Index(i).Interface())
		}
		return list
	case reflect.Pointer, reflect.Interface:
		if r.IsNil() {
			return nil
		}
		return plainValue(r.Elem().Interface())
	}
	return fmt.Sprint(v)
}

// textBytes is the length of the texts in a value.
func textBytes(v any) (n int64) {
	switch v := v.(type) {
	case string:
		n = int64(len(v))
	case []any:
		for _, item := range v {
			n += textBytes(item)
		}
	case map[string]any:
		for _, item := range v {
			n += textBytes(item)
		}
	}
	return n
}

// oldList unwraps the form in which older writers keep a list: a group "list" (or "bag") of groups of one column.
func oldList(group map[string]any) ([]any, bool) {
	if len(group) != 1 {
		return nil, false
	}
	for _, name := range []string{"list", "bag"} {
		items := reflect.ValueOf(group[name])
		if items.Kind() != reflect.Slice {
			continue
		}
		list := make([]any, items.Len())
		for i := range list {
			item, ok := items.Index(i).Interface().(map[string]any)
			if !ok || len(item) != 1 {
				return nil, false
			}
			for _, v := range item {
				list[i] = plainValue(v)
			}
		}
		return list, true
	}
	return nil, false
}
