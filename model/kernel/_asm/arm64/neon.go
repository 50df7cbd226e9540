package main

import "fmt"

// reg is a vector register, V0 to V31. The Go assembler calls its low part F0 to F31 in loads and stores.
type reg int

// Instructions on four floats that the Go assembler (1.26) does not know: opcode with registers 0.
var encoded = map[string]uint32{
	"FADD": 0x4E20D400, "FSUB": 0x4EA0D400, "FMUL": 0x6E20DC00, "FDIV": 0x6E20FC00, "FMAX": 0x4E20F400,
	"FCMGT": 0x6EA0E400, "FNEG": 0x6EA0F800, "FSQRT": 0x6EA1F800,
}

// op3 is d = n op m, the Arm manual's order of operands.
func (w *writer) op3(name string, d, n, m reg) {
	w.word(encoded[name]|uint32(m)<<16|uint32(n)<<5|uint32(d), fmt.Sprintf("%s V%d.4S, V%d.4S, V%d.4S", name, d, n, m))
}

// op2 is d = op n.
func (w *writer) op2(name string, d, n reg) {
	w.word(encoded[name]|uint32(n)<<5|uint32(d), fmt.Sprintf("%s V%d.4S, V%d.4S", name, d, n))
}

// fmla is d += n·m[lane], each of four floats fused and rounded once.
func (w *writer) fmla(d, n, m reg, lane int) {
	h, l := uint32(lane>>1), uint32(lane&1)
	w.word(0x4F801000|l<<21|uint32(m)<<16|h<<11|uint32(n)<<5|uint32(d),
		fmt.Sprintf("FMLA V%d.4S, V%d.4S, V%d.S[%d]", d, n, m, lane))
}

func (w *writer) word(bits uint32, text string) { w.ins("WORD $0x%08X // %s", bits, text) }

func (w *writer) zero(d reg) { w.ins("VEOR V%d.B16, V%d.B16, V%d.B16", d, d, d) }

// read and write move four floats; base is a general register.
func (w *writer) read(d reg, base string, disp int) { w.ins("FMOVQ %d(%s), F%d", disp, base, d) }
func (w *writer) write(s reg, base string, disp int) {
	w.ins("FMOVQ F%d, %d(%s)", s, disp, base)
}
