// Package strictyaml reads YAML that people write for the program: every value knows its line, a mapping has known keys
// only, and what readers of YAML differ about is refused. Suites and policies share it.
package strictyaml
