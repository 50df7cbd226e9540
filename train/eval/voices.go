package eval

import (
	"fmt"
	"slices"
	"strings"

	"instruct/data/checks"
	"instruct/tokenizer/chat"
)

// Voices says under which voice's system prompt the answers of a suite are likeliest. A voice is a system prompt and
// the name of the better answers of logprob-margins ([checks.Margin]) in tests that begin with it.
type Voices struct {
	Suite string   `json:"suite"`
	Names []string `json:"voices"`
	// Counts are answers by their own voice, then by the one whose system prompt gives them the highest mean
	// log-probability a token. An answer counts once for each question; where its own voice and another are equally
	// likely, it is counted for the other.
	Counts  [][]int `json:"counts"`
	LeftOut int     `json:"left_out"` // answers that are not in the question's tests of all voices
	// Share is that of the N answers counted which are likeliest under their own voice, 0 to 1, with Wilson's 95 %
	// interval.
	N     int     `json:"n"`
	Share float64 `json:"share"`
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
}

// question is what is asked under several voices.
type question struct {
	answers []checks.Given                      // in the order of their first use
	scores  map[string]map[checks.Given]float64 // by the voice whose system prompt it was asked under
}

// Voices makes the table of scored samples; nil where the suite has no voices.
func (s *Suite) Voices(samples []Sample) *Voices {
	v := &Voices{Suite: s.Name}
	var order []*question
	questions := map[string]*question{}
	for i := range s.Tests {
		t := &s.Tests[i]
		for j, m := range t.margins() {
			if m.Voice() == "" {
				continue
			}
			if !slices.Contains(v.Names, m.Voice()) {
				v.Names = append(v.Names, m.Voice())
			}
			_, key := bySystem(t.Messages)
			q := questions[key]
			if q == nil {
				q = &question{scores: map[string]map[checks.Given]float64{}}
				questions[key] = q
				order = append(order, q)
			}
			q.add(m.Voice(), m.Better, samples[i].Margins[j].Better)
			q.add(m.Voice(), m.Worse, samples[i].Margins[j].Worse)
		}
	}
	if v.Names == nil {
		return nil
	}
	for range v.Names {
		v.Counts = append(v.Counts, make([]int, len(v.Names)))
	}
	right := 0
	for _, q := range order {
		for _, a := range q.answers {
			own, best := slices.Index(v.Names, a.Voice), q.likeliest(v.Names, a)
			if best < 0 {
				v.LeftOut++
				continue
			}
			v.Counts[own][best]++
			v.N++
			if own == best {
				right++
			}
		}
	}
	v.Share = share(right, v.N)
	v.Low, v.High = wilson(v.Share, v.N)
	return v
}

// margins are what the test asks of the model.
func (t *Test) margins() []checks.Margin {
	if t.Scored == nil {
		return nil
	}
	return t.Scored.Margins()
}

// add takes the scores of answers under a voice. What was scored before under the same stays.
func (q *question) add(voice string, answers []checks.Given, scores []float64) {
	under := q.scores[voice]
	if under == nil {
		under = map[checks.Given]float64{}
		q.scores[voice] = under
	}
	for i, a := range answers {
		if !slices.Contains(q.answers, a) {
			q.answers = append(q.answers, a)
		}
		if _, ok := under[a]; !ok {
			under[a] = scores[i]
		}
	}
}

// likeliest is the index of the voice under which an answer is likeliest, -1 where it is not scored under all of them.
func (q *question) likeliest(names []string, a checks.Given) int {
	best, most := -1, 0.0
	for i, name := range names {
		x, ok := q.scores[name][a]
		if !ok {
			return -1
		}
		if best < 0 || x > most || x == most && names[best] == a.Voice {
			best, most = i, x
		}
	}
	return best
}

// bySystem parts what the system says from the question, both as keys.
func bySystem(messages []chat.Message) (system, question string) {
	for _, m := range messages {
		if m.Role == "system" {
			system += m.Content + "\x00"
		} else {
			question += m.Role + "\x00" + m.Content + "\x00"
		}
	}
	return system, question
}

// checkVoices makes sure that every voice has a system prompt, one of its own.
func (s *Suite) checkVoices() error {
	type first struct{ voice, system, id string }
	var known []first
	for i := range s.Tests {
		t := &s.Tests[i]
		for _, m := range t.margins() {
			voice := m.Voice()
			if voice == "" {
				continue
			}
			system, _ := bySystem(t.Messages)
			at := slices.IndexFunc(known, func(f first) bool { return f.voice == voice || f.system == system })
			switch {
			case at < 0:
				known = append(known, first{voice, system, t.ID})
			case known[at].voice != voice:
				return mistake("suite %s: the voice %q has the system message of %q in %s; each voice needs its own", t.ID,
					voice, known[at].voice, known[at].id)
			case known[at].system != system:
				return mistake("suite %s: the voice %q has another system message than in %s; a voice has one", t.ID, voice,
					known[at].id)
			}
		}
	}
	for i := range s.Tests {
		for _, m := range s.Tests[i].margins() {
			for _, w := range m.Worse {
				if w.Voice != "" && !slices.ContainsFunc(known, func(f first) bool { return f.voice == w.Voice }) {
					return mistake("suite %s: no test has the voice %q in better, so its system message is not known",
						s.Tests[i].ID, w.Voice)
				}
			}
		}
	}
	return nil
}

// String is the table for people.
func (v *Voices) String() string {
	var b strings.Builder
	width := 9
	for _, name := range v.Names {
		width = max(width, len([]rune(name)))
	}
	fmt.Fprintf(&b, "voices of %s: answers by their voice, and by the voice that makes them likeliest\n", v.Suite)
	fmt.Fprintf(&b, "%*s", width, "")
	for _, name := range v.Names {
		fmt.Fprintf(&b, "  %*s", width, name)
	}
	b.WriteByte('\n')
	for i, name := range v.Names {
		fmt.Fprintf(&b, "%-*s", width, name)
		for _, n := range v.Counts[i] {
			fmt.Fprintf(&b, "  %*d", width, n)
		}
		b.WriteByte('\n')
	}
	fmt.Fprintf(&b, "%.1f %% of %d answers are likeliest under their own voice (%.1f to %.1f %%)\n", 100*v.Share, v.N,
		100*v.Low, 100*v.High)
	if v.LeftOut > 0 {
		fmt.Fprintf(&b, "%d answers are left out: not every voice has a test of their question with them\n", v.LeftOut)
	}
	return b.String()
}
