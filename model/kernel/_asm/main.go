// Command asm writes the amd64 assembly of package kernel. Run it through go generate in model/kernel.
package main

import (
	"flag"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"instruct/model/kernel/_asm/doc"
)

var part = flag.String("part", "gemm", "which file to write: gemm, vec, lowp or dot")

func main() {
	flag.Parse()
	ConstraintExpr("amd64,!purego")
	switch *part {
	case "gemm":
		gemm()
	case "vec":
		vec()
	case "lowp":
		lowp()
	case "dot":
		dot()
	}
	Generate()
	if *part == "dot" {
		encodeFile(flag.Lookup("out").Value.String())
	}
}

// function opens an assembly function whose pointers do not escape.
func function(name, signature, text string) {
	TEXT(name, NOSPLIT, signature)
	Pragma("noescape")
	Doc(doc.Lines(text)...)
}

func load(name string) reg.GPVirtual {
	return Load(Param(name), GP64()).(reg.GPVirtual)
}

func at(base reg.Register, disp int) Mem { return Mem{Base: base, Disp: disp} }

func indexed(base, index reg.Register, scale uint8) Mem {
	return Mem{Base: base, Index: index, Scale: scale}
}
