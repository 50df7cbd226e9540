package checkpoints

import "strings"

// ggmlTypes is enum ggml_type of ggml.h by number.
var ggmlTypes = map[uint32]blockType{
	0:  {"F32", 1, 4, decodeF32},
	1:  {"F16", 1, 2, decodeF16},
	2:  {"Q4_0", 32, 18, smallBlocks(8, false, false)},
	3:  {"Q4_1", 32, 20, smallBlocks(0, true, false)},
	6:  {"Q5_0", 32, 22, smallBlocks(16, false, true)},
	7:  {"Q5_1", 32, 24, smallBlocks(0, true, true)},
	8:  {"Q8_0", 32, 34, decodeQ8_0},
	9:  {"Q8_1", 32, 36, nil},
	10: {"Q2_K", 256, 84, nil},
	11: {"Q3_K", 256, 110, nil},
	12: {"Q4_K", 256, 144, bigBlocks(false)},
	13: {"Q5_K", 256, 176, bigBlocks(true)},
	14: {"Q6_K", 256, 210, decodeQ6_K},
	15: {"Q8_K", 256, 292, nil},
	16: {"IQ2_XXS", 256, 66, nil},
	17: {"IQ2_XS", 256, 74, nil},
	18: {"IQ3_XXS", 256, 98, nil},
	19: {"IQ1_S", 256, 50, nil},
	20: {"IQ4_NL", 32, 18, nil},
	21: {"IQ3_S", 256, 110, nil},
	22: {"IQ2_S", 256, 82, nil},
	23: {"IQ4_XS", 256, 136, nil},
	24: {"I8", 1, 1, nil},
	25: {"I16", 1, 2, nil},
	26: {"I32", 1, 4, nil},
	27: {"I64", 1, 8, nil},
	28: {"F64", 1, 8, decodeF64},
	29: {"IQ1_M", 256, 56, nil},
	30: {"BF16", 1, 2, decodeBF16},
	34: {"TQ1_0", 256, 54, nil},
	35: {"TQ2_0", 256, 66, nil},
	39: {"MXFP4", 32, 17, nil},
	40: {"NVFP4", 64, 36, nil},
	41: {"Q1_0", 128, 18, nil},
}

// readableTypes lists what Read can do, for error messages.
func readableTypes() string {
	var names []string
	for n := uint32(0); n <= 30; n++ {
		if t, ok := ggmlTypes[n]; ok && t.decode != nil {
			names = append(names, t.name)
		}
	}
	return strings.Join(names, " ")
}
