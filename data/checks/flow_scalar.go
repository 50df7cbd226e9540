package checks

import (
	"math"
	"strconv"
	"strings"
)

var (
	flowInt   = lazy(`^(?:0o[0-7]+|0x[0-9a-fA-F]+|[-+]?[0-9]+)$`)
	flowFloat = lazy(`^[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?$`)
	flowTime  = lazy(`^[0-9]{4}-(?:[0-9]{2}-[0-9]{2}|[0-9]{1,2}-[0-9]{1,2}(?:[Tt]|[ \t]+)` +
		`[0-9]{1,2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]*)?(?:[ \t]*(?:Z|[-+][0-9]{1,2}(?::[0-9]{2})?))?)$`)
)

// plainValue is the value of text without quotes, by YAML's core schema. A time, which is no value of JSON, is an empty
// object, as which a schema sees it.
func plainValue(text string) any {
	switch text {
	case "", "~", "null", "Null", "NULL":
		return nil
	case "true", "True", "TRUE":
		return true
	case "false", "False", "FALSE":
		return false
	case "<<":
		return mergeKey{}
	case ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF":
		return math.Inf(1)
	case "-.inf", "-.Inf", "-.INF":
		return math.Inf(-1)
	case ".nan", ".NaN", ".NAN":
		return math.NaN()
	}
	if flowInt().MatchString(text) && (strings.HasPrefix(text, "0o") || strings.HasPrefix(text, "0x")) {
		if x, err := strconv.ParseUint(text, 0, 64); err == nil {
			return float64(x)
		}
		return text
	}
	if flowFloat().MatchString(text) {
		if x, err := strconv.ParseFloat(text, 64); err == nil {
			return x
		}
		return text // What is out of range is no number.
	}
	if flowTime().MatchString(text) {
		return map[string]any{}
	}
	return text
}
