// Package jinja renders chat templates: the part of Jinja2 that they use, with the settings and the Python
// semantics of transformers' apply_chat_template (trim_blocks, lstrip_blocks, immutable sandbox, loop controls,
// the generation block, tojson without HTML escapes, raise_exception, strftime_now).
//
// Every string knows where its bytes came from. A caller marks a value (Mark), the marks travel through
// concatenation, slices, strip, split, replace and the rest, and Render tells which bytes of the output carry them.
// So the text of one message is found exactly, whatever the template does to it, without sentinel characters
// that a strip or a comparison inside the template would stumble over. Generation blocks are marks too.
//
// Names follow Jinja2's documentation, https://jinja.palletsprojects.com/en/stable/templates/.
package jinja

import (
	"fmt"
	"time"
)

// Template is a parsed template. It may be rendered by several goroutines at once.
type Template struct {
	body []stmt
	// HasGeneration says that the source has a generation block.
	HasGeneration bool
}

// Error is a failure of parsing or rendering, with the line in the template.
type Error struct {
	Line    int
	Message string
	// Raised says that the template itself called raise_exception with the message.
	Raised bool
}

// Error gives the message with its line.
func (e *Error) Error() string {
	if e.Raised {
		return e.Message
	}
	return fmt.Sprintf("template line %d: %s", e.Line, e.Message)
}

// Options are the circumstances of a rendering.
type Options struct {
	// Now is what strftime_now formats.
	Now time.Time
}

// Result is a rendered text with the origin of its bytes.
type Result struct {
	Text string
	// Marks are the byte ranges that came from marked values, in order of their start.
	Marks []Span
	// Generation are the byte ranges of the generation blocks, in order of execution.
	Generation []Span
}

// Limits of one rendering, far above what a chat template needs: a hostile template ends in an error.
const (
	maxSteps  = 1_000_000
	maxText   = 1 << 24
	maxItems  = 1 << 20
	maxDepth  = 100
	maxNested = 200
)
