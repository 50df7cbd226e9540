// Package pattern finds in a text what the regular expressions of tokenizer.json files find: the words that it is split
// into, or what is replaced.
//
// [Words] gives the scanner of a pattern that matches every text, as byte-level models have it, and [NewFinder] the
// finder of any other one: written by hand for the patterns of known models, else a backtracking engine, for which the
// expression is translated from the Ruby syntax of Oniguruma. [Classes] has the classes of characters that both ask
// for, by the Unicode tables of Oniguruma and of the Rust library, which are not those of Go.
package pattern
