package checkpoints

import "strings"

// ggmlTypes is enum ggml_type of ggml.h by number.
var ggmlTypes = map[uint32]blockType{
	0:  {"F32", 1, 4, decodeF32, encodeF32},
	1:  {"F16", 1, 2, decodeF16, F16.encoder()},
	2:  {"Q4_0", 32, 18, smallBlocks(8, false, false), encodeQ4_0},
	3:  {"Q4_1", 32, 20, smallBlocks(0, true, false), nil},
	6:  {"Q5_0", 32, 22, smallBlocks(16, false, true), nil},
	7:  {"Q5_1", 32, 24, smallBlocks(0, true, true), nil},
	8:  {"Q8_0", 32, 34, decodeQ8_0, encodeQ8_0},
	9:  {"Q8_1", 32, 36, nil, nil},
	10: {"Q2_K", 256, 84, nil, nil},
	11: {"Q3_K", 256, 110, nil, nil},
	12: {"Q4_K", 256, 144, bigBlocks(false), nil},
	13: {"Q5_K", 256, 176, bigBlocks(true), nil},
	14: {"Q6_K", 256, 210, decodeQ6_K, nil},
	15: {"Q8_K", 256, 292, nil, nil},
	16: {"IQ2_XXS", 256, 66, nil, nil},
	17: {"IQ2_XS", 256, 74, nil, nil},
	18: {"IQ3_XXS", 256, 98, nil, nil},
	19: {"IQ1_S", 256, 50, nil, nil},
	20: {"IQ4_NL", 32, 18, nil, nil},
	21: {"IQ3_S", 256, 110, nil, nil},
	22: {"IQ2_S", 256, 82, nil, nil},
	23: {"IQ4_XS", 256, 136, nil, nil},
	24: {"I8", 1, 1, nil, nil},
	25: {"I16", 1, 2, nil, nil},
	26: {"I32", 1, 4, nil, nil},
	27: {"I64", 1, 8, nil, nil},
	28: {"F64", 1, 8, decodeF64, nil},
	29: {"IQ1_M", 256, 56, nil, nil},
	30: {"BF16", 1, 2, decodeBF16, BF16.encoder()},
	34: {"TQ1_0", 256, 54, nil, nil},
	35: {"TQ2_0", 256, 66, nil, nil},
	39: {"MXFP4", 32, 17, nil, nil},
	40: {"NVFP4", 64, 36, nil, nil},
	41: {"Q1_0", 128, 18, nil, nil},
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
