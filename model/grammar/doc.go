// Package grammar says which tokens may come next where an answer has to be of some form, such as JSON of a schema.
//
// A form is an expression over bytes (expression.go): what may follow on a byte is the expression's derivative by it
// (Brzozowski 1964, "Derivatives of Regular Expressions", J. ACM 11), which is made when it is first asked for and
// kept. Equal expressions are one value, so a text that comes to the same place again finds what was worked out there.
// JSON and schemas become expressions (json.go, schema.go, objects.go); rules make them recursive, as $ref does. A
// [Vocabulary] turns an expression into the set of tokens whose bytes may follow (mask.go).
//
// Whatever is generated parses as JSON and satisfies the schema. Not all that satisfies it can be generated: members of
// an object come in the order of the schema, white space and digits are bounded so that an answer cannot run away, and
// names that the schema does not list have no escapes.
package grammar
