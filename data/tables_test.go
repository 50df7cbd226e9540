package data

import (
	"bytes"
	"context"
	"encoding/binary"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/xuri/excelize/v2"
)

// utf16Of encodes a text, with its byte order mark.
func utf16Of(text string, order binary.AppendByteOrder) string {
	out := order.AppendUint16(nil, 0xfeff)
	for _, unit := range utf16.Encode([]rune(text)) {
		out = order.AppendUint16(out, unit)
	}
	return string(out)
}

// What spreadsheet programs write: each is the row I -> é “O”.
func TestSpreadsheets(t *testing.T) {
	const note = "the text is not UTF-8; it is read as Windows-1252"
	for _, test := range []struct{ name, file, content, line, note string }{
		{"empty header cells at the end", "r.csv", "instruction,output,,\nI,é “O”,,\n", "2", ""},
		{"surplus empty cells", "r.csv", "instruction,output\nI,é “O”,, ,\n", "2", ""},
		{"an empty header cell", "r.csv", ",instruction,,output\n0,I,x,é “O”\n", "2", ""},
		{"empty rows", "r.csv", ",,\ninstruction,output,\n,,\nI,é “O”,\n,,\n", "4", ""},
		{"sep=;", "r.csv", "sep=;\r\ninstruction;output\r\nI;é “O”\r\n", "3", ""},
		{"SEP=tab in quotes", "r.csv", "\"SEP=\t\"\ninstruction\toutput\nI\té “O”\n", "3", ""},
		{"sep=, where semicolons are more", "r.csv", "sep=,\ninstruction,output,a;b;c;d\nI,é “O”,\n", "3", ""},
		{"semicolons", "r.csv", "instruction;input;output\nI;;é “O”\n", "2", ""},
		{"tabs", "r.csv", "instruction\toutput\nI\té “O”\n", "2", ""},
		{"bars", "r.csv", "instruction|output\nI|é “O”\n", "2", ""},
		{"semicolons in quotes", "r.csv", "instruction,\"output\",\"a;b;c;d\"\nI,é “O”,x\n", "2", ""},
		{"UTF-16", "r.csv", utf16Of("instruction;output\r\nI;é “O”\r\n", binary.LittleEndian), "2",
			"the text is UTF-16"},
		{"UTF-16, the other order", "r.csv", utf16Of("instruction,output\nI,é “O”\n", binary.BigEndian), "2",
			"the text is UTF-16"},
		{"UTF-16 with tabs", "r.tsv", utf16Of("instruction\toutput\r\nI\té “O”\r\n", binary.LittleEndian), "2",
			"the text is UTF-16"},
		{"Windows-1252", "r.csv", "instruction;output\r\nI;\xe9 \x93O\x94\r\n", "2", "line 2, column 3: " + note},
		{"Windows-1252 with tabs", "r.tsv", "instruction\toutput\nI\t\xe9 \x93O\x94\n", "2", "line 2, column 3: " + note},
		{"a byte order mark", "r.tsv", "\ufeffinstruction\toutput\nI\té “O”\n", "2", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			path := write(t, test.file, test.content)
			rows, got := loadNoted(t, path, Options{})
			if len(rows) != 1 || rows[0].Messages[0].Content != "I" || rows[0].Messages[1].Content != "é “O”" ||
				rows[0].Source != path+":"+test.line {
				t.Errorf("got %+v", rows)
			}
			if got != "" && got != path+": "+test.note || (got == "") != (test.note == "") {
				t.Errorf("notes %q, want %q", got, test.note)
			}
		})
	}
	// Characters of two bytes across the reader's buffer.
	long := strings.Repeat("é", readBuffer)
	for _, text := range []string{"text\n" + long + "\n", "text,\n" + long + ",\n",
		utf16Of("text\n"+long, binary.LittleEndian)} {
		if rows := load(t, write(t, "r.csv", text)); len(rows) != 1 || rows[0].Text != long {
			t.Errorf("a long text is another")
		}
	}
}

// workbook writes sheets: name, then rows.
func workbook(t testing.TB, sheets ...[][]any) string {
	t.Helper()
	f := excelize.NewFile()
	for i, rows := range sheets {
		name := []string{"Sheet1", "More #2"}[i]
		if i > 0 {
			if _, err := f.NewSheet(name); err != nil {
				t.Fatal(err)
			}
		}
		for j, row := range rows {
			cell, _ := excelize.CoordinatesToCellName(1, j+1)
			if err := f.SetSheetRow(name, cell, &row); err != nil {
				t.Fatal(err)
			}
		}
	}
	var b bytes.Buffer
	if err := f.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestWorkbooks(t *testing.T) {
	content := workbook(t, [][]any{{"Question", "Answer", "", nil}, {"line\n1", "A", ""}, {}, {"2", 7, nil, ""}},
		[][]any{{"text", "n"}, {"T"}})
	path := write(t, "r.xlsx", content)
	var notes []string
	rows, err := LoadWith(context.Background(), []string{path}, Options{Note: func(n string) { notes = append(notes, n) }})
	if err != nil || len(rows) != 2 || rows[0].Messages[0].Content != "line\n1" || rows[1].Messages[1].Content != "7" ||
		rows[1].Source != path+":4" {
		t.Errorf("got %+v, %v", rows, err)
	}
	if len(notes) != 1 || !strings.Contains(notes[0], `the first of 2 sheets is read, "Sheet1"`) {
		t.Errorf("notes %q", notes)
	}
	if rows := load(t, path+"#More #2"); len(rows) != 1 || rows[0].Text != "T" || rows[0].Source != path+"#More #2:2" {
		t.Errorf("got %+v", rows)
	}
	_, err = Load(context.Background(), []string{path + "#None"}, "")
	if err == nil || !isUserError(err) ||
		!strings.Contains(err.Error(), `no sheet has the name "None"; the workbook has Sheet1, More #2`) {
		t.Errorf("got %v", err)
	}
	for n := range 40 {
		_, err := Load(context.Background(), []string{write(t, "bad.xlsx", content[:n*len(content)/40])}, "")
		if err == nil || !isUserError(err) {
			t.Fatalf("a cut workbook gives %v", err)
		}
	}
}

// TestWorkbookOfForgedSize: memory for a part of a workbook is not taken because the archive's directory asks for it.
func TestWorkbookOfForgedSize(t *testing.T) {
	content := []byte(workbook(t, [][]any{{"text"}, {"a"}}))
	entry := bytes.Index(content, []byte("PK\x01\x02")) // of the directory; the size lies 24 bytes behind
	binary.LittleEndian.PutUint32(content[entry+24:], 3<<30)
	_, err := rowsOf(context.Background(), "rows.xlsx", content, nil)
	if err == nil || !isUserError(err) || !strings.Contains(err.Error(), "rows.xlsx: the workbook is damaged: its part") {
		t.Errorf("error %v", err)
	}
}
