package checks

import (
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// formats are the formats of text that a schema may ask for, as ajv-formats reads them.
func formats() map[string]func(string) bool {
	return map[string]func(string) bool{
		"date":         isDate,
		"time":         isTime,
		"date-time":    isDateTime,
		"duration":     isDuration,
		"email":        emailForm().MatchString,
		"hostname":     isHostname,
		"ipv4":         ipv4Form().MatchString,
		"ipv6":         isIPv6,
		"json-pointer": pointerForm().MatchString,
		"uri":          isURI,
		"uuid":         uuidForm().MatchString,
	}
}

var (
	emailForm = lazy("(?i)^[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*" +
		`@(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$`)
	hostForm    = lazy(`(?i)^` + hostLabel + `(?:\.` + hostLabel + `)*\.?$`)
	hostLabel   = `[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?`
	octet       = `(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])`
	ipv4Form    = lazy(`^(?:` + octet + `\.){3}` + octet + `$`)
	pointerForm = lazy(`^(?:/(?:[^~/]|~0|~1)*)*$`)
	uuidForm    = lazy(`(?i)^(?:urn:uuid:)?[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$`)
	timeForm    = lazy(`(?i)^([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.[0-9]+)?` +
		`(z|([+-])([0-9]{2})(?::?([0-9]{2}))?)$`)
	spanForm  = lazy(`^P(?:[0-9]+Y)?(?:[0-9]+M)?(?:[0-9]+D)?(?:T(?:[0-9]+H)?(?:[0-9]+M)?(?:[0-9]+S)?)?$`)
	weeksForm = lazy(`^P[0-9]+W$`)
)

// The parts of an address by RFC 3986. What stands in square brackets is judged by [isURI].
const (
	uriChar = `[a-z0-9._~!$&'()*+,;=:@-]|%[0-9a-f]{2}`
	uriPath = `(?:` + uriChar + `)*`
	uriUser = `(?:(?:[a-z0-9._~!$&'()*+,;=:-]|%[0-9a-f]{2})*@)?`
	uriHost = uriUser + `(?:\[([0-9a-f:.]+)\]|(?:[a-z0-9._~!$&'"()*+,;=-]|%[0-9a-f]{2})*)` +
		`(?::[0-9]*)?`
)

var uriForm = lazy(`(?i)^[a-z][a-z0-9+.-]*:(?:/?/` + uriHost + `(?:/` + uriPath + `)*|` +
	`/?(?:` + uriChar + `)+(?:/` + uriPath + `)*|/)(?:\?(?:` + uriChar + `|[/?])*)?(?:#(?:` + uriChar + `|[/?])*)?$`)

func isURI(s string) bool {
	m := uriForm().FindStringSubmatch(s)
	return m != nil && (m[1] == "" || isIPv6(m[1]))
}

func isHostname(s string) bool {
	return len(strings.TrimSuffix(s, ".")) <= 253 && hostForm().MatchString(s)
}

func isIPv6(s string) bool {
	addr, err := netip.ParseAddr(s)
	return err == nil && addr.Is6() && addr.Zone() == ""
}

func isDate(s string) bool {
	if len(s) > 4 && s[:4] == "0000" {
		s = "2000" + s[4:] // A leap year too; the library has no year 0.
	}
	_, err := time.Parse(time.DateOnly, s)
	return err == nil
}

// isTime reads hours, minutes, seconds and the zone, which must be there. The last minute of a day of UTC may have 61
// seconds.
func isTime(s string) bool {
	m := timeForm().FindStringSubmatch(s)
	if m == nil {
		return false
	}
	var n [5]int // hour, minute, second, hour and minute of the zone
	for i, text := range []string{m[1], m[2], m[3], m[6], m[7]} {
		n[i], _ = strconv.Atoi(text) // The zone's may be missing and are 0 then.
	}
	if n[3] > 23 || n[4] > 59 {
		return false
	}
	if n[0] <= 23 && n[1] <= 59 && n[2] < 60 {
		return true
	}
	sign := 1
	if m[5] == "-" {
		sign = -1
	}
	minute := n[1] - n[4]*sign
	hour := n[0] - n[3]*sign
	if minute < 0 {
		hour--
	}
	return (hour == 23 || hour == -1) && (minute == 59 || minute == -1) && n[2] < 61
}

func isDateTime(s string) bool {
	i := strings.IndexFunc(s, func(r rune) bool { return r == 'T' || r == 't' || isSpace(r) })
	if i < 0 {
		return false
	}
	rest := strings.TrimLeftFunc(s[i:], func(r rune) bool { return r == 'T' || r == 't' || isSpace(r) })
	return isDate(s[:i]) && isTime(rest) && len([]rune(s[i:]))-len([]rune(rest)) == 1
}

func isDuration(s string) bool {
	return weeksForm().MatchString(s) ||
		spanForm().MatchString(s) && !strings.HasSuffix(s, "P") && !strings.HasSuffix(s, "T")
}
