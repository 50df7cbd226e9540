// Package suite reads suites of tests: YAML in a strict subset of promptfoo's format, with extensions of ours.
//
//	description: what the suite is about
//	prompts:                                  # texts, or messages as JSON
//	  - "Translate to French: {{text}}"
//	defaultTest:                              # what every test has; takes the keys of a test but messages
//	  assert: [{type: not-is-refusal}]
//	tests:
//	  - description: a greeting
//	    vars: {text: [Hello, Good morning]}   # a list of texts gives one case for each
//	    assert:                               # see package checks for the types
//	      - {type: icontains-any, value: [bonjour, salut], weight: 2, metric: words}
//	    threshold: 0.5                        # the mean score that passes; without it all assertions must
//	    metadata: {source: own}
//	    tags: [french]                        # ours
//	  - messages:                             # ours: asked instead of the prompts
//	      - {role: user, content: "Say {{text}} kindly."}
//	    vars: {text: no}
//	    assert:                               # ours, judged by a model's numbers
//	      - {type: logprob-margin, value: {better: [Not now.], worse: [No!]}, threshold: 0.1}
//	  - messages:                             # a voice: a system message, and answers by the names of voices
//	      - {role: system, content: You are a friendly assistant.}
//	      - {role: user, content: Can you help me?}
//	    assert:
//	      - {type: logprob-margin, value: {better: {friendly: Sure!}, worse: {formal: [Certainly., Indeed.]}}}
//
// Templates are Nunjucks', of which only {{name}} is known: in prompts, in messages, in metrics, and in values of
// assertions that are text or lists. Whatever promptfoo would load from elsewhere is refused, as are unknown keys, and
// plain text that readers of YAML differ about (012, 0x1F, 2024-01-31, several lines), which must stand in quotes, and
// blocks of text whose white space at the end or at the beginning of a line the library would not keep. Every error is
// one line that begins with path and line.
//
// Stricter than promptfoo: a variable without value is an error, where promptfoo leaves it out; the values of variables
// hold no templates; merge keys and tags of YAML are not known; a prompt that is JSON must be messages.
package suite
