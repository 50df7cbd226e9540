// Package page is what `instruct serve` shows in a browser: chat with corrections, rounds, the curves of runs, suites.
// It is a way in beside the command line and the API of package openai, which guards it (host, origin, key).
//
// The page itself is static: HTML, CSS and JavaScript modules, embedded, without a request to anywhere else. It asks
// the JSON API below /api/, whose routes are a table. What takes long is a command of the program, which runs as a
// [job]; what is not given in [Options] has no routes that answer, and is not on the page.
package page
