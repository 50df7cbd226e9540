package data

import (
	"bufio"
	"errors"
	"io/fs"
	"os"
)

// spool is bytes that are written once and then read anywhere: in memory while they are few, beyond that in a file. The
// file is read and not mapped: what was read is the system's cache, which it takes back when memory is short, and the
// process does not grow by it.
type spool struct {
	dir    string // of the file; "": that of the system
	memory []byte
	file   *os.File
	writer *bufio.Writer
	size   int64
	remove string // the file's name, where the system does not let go of the name of an open file
}

// spoolMemory is how many bytes stay in memory.
const spoolMemory = 16 << 20

// write appends p.
func (s *spool) write(p []byte, most int) error {
	s.size += int64(len(p))
	if s.file == nil && len(s.memory)+len(p) <= most {
		s.memory = append(s.memory, p...)
		return nil
	}
	if s.file == nil {
		if err := s.open(); err != nil {
			return err
		}
	}
	_, err := s.writer.Write(p)
	return s.failed(err)
}

// open moves what is in memory to a file that has no name any more, so that nothing is left of it however the program
// ends.
func (s *spool) open() (err error) {
	if s.file, err = os.CreateTemp(s.dir, ".tokens.tmp-*"); err != nil {
		return s.failed(err)
	}
	if os.Remove(s.file.Name()) != nil {
		s.remove = s.file.Name()
	}
	s.writer = bufio.NewWriterSize(s.file, readBuffer)
	_, err = s.writer.Write(s.memory)
	s.memory = nil
	return s.failed(err)
}

// readAt fills p with what was written from an offset on.
func (s *spool) readAt(p []byte, offset int64) error {
	if s.file == nil {
		copy(p, s.memory[offset:])
		return nil
	}
	err := s.writer.Flush()
	if err == nil {
		_, err = s.file.ReadAt(p, offset)
	}
	return s.failed(err)
}

// failed says which file it was, as far as it has a name.
func (s *spool) failed(err error) error {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		err = e.Err
	}
	dir := s.dir
	if dir == "" {
		dir = os.TempDir()
	}
	return mistake("data: the tokens of a large data set are kept in a file in %s while it is trained on, %d MB so far: "+
		"%w; make room there, or set another output_dir", dir, s.size>>20, err)
}

// close removes the file.
func (s *spool) close() error {
	if s.file == nil {
		return nil
	}
	err := s.file.Close()
	if s.remove != "" {
		err = errors.Join(err, os.Remove(s.remove))
	}
	return err
}
