package main

import (
	"fmt"
	"log"
	"os"
	"regexp"
	"strconv"
)

// instruction is what tells an instruction of three 512-bit registers in map 0F38, W0, from others: the prefix that
// stands in its encoding, and its opcode.
type instruction struct{ pp, opcode int }

// unknown are those that the assembler of Go does not know. Intel 64 and IA-32 Architectures Software Developer's
// Manual, volume 2: 2.7 (EVEX) and the instructions themselves.
var unknown = map[string]instruction{
	"VDPBF16PS":      {0b10, 0x52}, // F3
	"VCVTNE2PS2BF16": {0b11, 0x72}, // F2
}

var threeRegisters = regexp.MustCompile(`(?m)^(\s*)(\w+)\s+Z(\d+), Z(\d+), Z(\d+)$`)

// encodeFile writes the unknown instructions of an assembly file as bytes.
func encodeFile(path string) {
	text, err := os.ReadFile(path)
	if err != nil {
		log.Fatal(err)
	}
	text = threeRegisters.ReplaceAllFunc(text, func(line []byte) []byte {
		m := threeRegisters.FindSubmatch(line)
		u, ok := unknown[string(m[2])]
		if !ok {
			return line
		}
		var r [3]int
		for i := range r {
			r[i], _ = strconv.Atoi(string(m[3+i]))
		}
		code := encode(u, r[0], r[1], r[2])
		return fmt.Appendf(nil, "%sLONG $0x%02x%02x%02x%02x; WORD $0x%02x%02x // %s Z%d, Z%d, Z%d", m[1],
			code[3], code[2], code[1], code[0], code[5], code[4], m[2], r[0], r[1], r[2])
	})
	if err := os.WriteFile(path, text, 0o644); err != nil {
		log.Fatal(err)
	}
}

// encode gives the bytes of an instruction whose operands are, in Go's order, the second source, the first one and the
// destination.
func encode(u instruction, rm, v, reg int) [6]byte {
	not := func(x, bit int) int { return ^x >> bit & 1 }
	return [6]byte{0x62,
		byte(not(reg, 3)<<7 | not(rm, 4)<<6 | not(rm, 3)<<5 | not(reg, 4)<<4 | 0b010),
		byte(^v&15<<3 | 1<<2 | u.pp),
		byte(0b10<<5 | not(v, 4)<<3),
		byte(u.opcode),
		byte(0b11<<6 | reg&7<<3 | rm&7)}
}
