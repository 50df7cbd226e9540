//go:build ignore

// rows writes some rows of the embedded lessons as a JSON list of Alpaca's shape, those with a system prompt or several
// turns left out: `go run docs/experiments/_lessons/rows.go 10000 600` gives those of the 600 behind row 10,000.
package main

import (
	"encoding/json"
	"log"
	"os"
	"strconv"

	"instruct/data/lessons"
)

func main() {
	if len(os.Args) != 3 {
		log.Fatal("usage: rows AFTER N")
	}
	after, err := strconv.Atoi(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	n, err := strconv.Atoi(os.Args[2])
	if err != nil {
		log.Fatal(err)
	}
	o := lessons.Default()
	o.Rows, o.HeldOut = after+n, 0
	rows, _ := lessons.Generate(o)
	list := []map[string]string{}
	for _, r := range rows[after:] {
		if len(r.Messages) == 2 && r.Messages[0].Role == "user" {
			list = append(list, map[string]string{"instruction": r.Messages[0].Content, "input": "",
				"output": r.Messages[1].Content})
		}
	}
	if err := json.NewEncoder(os.Stdout).Encode(list); err != nil {
		log.Fatal(err)
	}
}
