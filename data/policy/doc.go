// Package policy holds answers against rules: text for people, checks for the program.
//
//	rules:
//	  - id: refund-days                          # unique; lower-case letters, digits and single hyphens
//	    text: Say that a refund takes 14 days.   # for people and, if wanted, for the system prompt
//	    severity: block                          # or warn
//	    when:                                    # without it the rule applies to every answer
//	      tags: [refund]                         # one of them is among the tags of the test, or the kind of the row
//	      prompt: "[Rr]efund|money back"         # JavaScript's expression matches in the last message of the user
//	    assert:                                  # as in suites, all must hold; see package checks
//	      - {type: contains, value: 14 days}
//	    good: ["It takes 14 days."]              # examples: an answer, or what was asked and an answer
//	    bad:
//	      - {prompt: "When is my refund here?", answer: "Soon."}
//
// Where tags and prompt are both given, both must hold. Braces are plain text here: a policy has no variables. The
// assertions that judge a model's numbers (perplexity, logprob-margin) are refused: a rule judges text.
//
// Reading a policy proves it on its own examples: the good ones pass, the bad ones fail, and when matches their
// prompts. Every error is one line that begins with path and line.
//
// What comes out is evidence: in so many of the answers that a rule applies to it held. That a rule held in all of them
// is no proof that it holds in the next one.
package policy
