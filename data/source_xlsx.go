package data

import (
	"archive/zip"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/xuri/excelize/v2"
)

const xlsx = ".xlsx"

// splitSheet divides the name of a workbook's sheet, file.xlsx#Sheet. Other names have no sheet.
func splitSheet(name string) (file, sheet string) {
	if at := strings.LastIndex(strings.ToLower(name), xlsx+"#"); at >= 0 {
		return name[:at+len(xlsx)], name[at+len(xlsx)+1:]
	}
	return name, ""
}

// readXLSX reads a sheet of a workbook, the first one where none is named, as a table. Cells are what a spreadsheet
// program shows in them; the place of a row is its number in the sheet.
func readXLSX(in *input, yield func(*record) error) (err error) {
	// The library answers some damaged files with a panic.
	reading := true
	defer func() {
		if p := recover(); p != nil {
			if !reading {
				panic(p)
			}
			err = mistake("data: read %s: the workbook is damaged: %v", in.path, p)
		}
	}()
	if part := oversized(in.file, in.size); part != nil {
		return mistake("data: read %s: the workbook is damaged: its part %q is %d bytes packed and cannot be the %d it gives",
			in.path, part.Name, part.CompressedSize64, part.UncompressedSize64)
	}
	book, err := excelize.OpenReader(io.NewSectionReader(in.file, 0, in.size))
	if err != nil {
		return mistake("data: read %s: no .xlsx workbook, or a damaged or locked one: %w", in.path, err)
	}
	defer book.Close()
	sheets := book.GetSheetList()
	if len(sheets) == 0 {
		return mistake("data: read %s: the workbook has no sheet", in.path)
	}
	sheet := in.sheet
	if sheet == "" {
		sheet = sheets[0]
		if len(sheets) > 1 {
			in.note("the first of %d sheets is read, %q; file.xlsx#NAME reads another: %s",
				len(sheets), sheet, strings.Join(sheets[1:], ", "))
		}
	} else if !slices.Contains(sheets, sheet) {
		return mistake("data: %s: no sheet has the name %q; the workbook has %s", in.path, sheet, strings.Join(sheets, ", "))
	}
	rows, err := book.Rows(sheet)
	if err != nil {
		return mistake("data: read %s: %w", in.path, err)
	}
	defer rows.Close()
	table := table{path: in.path, padded: true, yield: func(r *record) error {
		reading = false
		defer func() { reading = true }()
		return yield(r)
	}}
	for number := 1; rows.Next(); number++ {
		cells, err := rows.Columns()
		if err != nil {
			return mistake("data: read %s, row %d: %w", in.path, number, err)
		}
		if err := table.add(number, cells); err != nil {
			return err
		}
	}
	if err := rows.Error(); err != nil {
		return mistake("data: read %s: %w", in.path, fmt.Errorf("sheet %q: %w", sheet, err))
	}
	return nil
}

// mostUnpacked is more than what deflate makes of one byte at most, 1032.
const mostUnpacked = 1100

// oversized gives the part of an archive that cannot be as long as its directory says, for which the library would
// take memory before it reads; nil where there is none, or no archive.
func oversized(file io.ReaderAt, size int64) *zip.File {
	archive, err := zip.NewReader(file, size)
	if err != nil {
		return nil // the library says what is wrong
	}
	for _, part := range archive.File {
		packed := part.CompressedSize64
		if packed > uint64(size) || part.UncompressedSize64 > packed*mostUnpacked {
			return part
		}
	}
	return nil
}
