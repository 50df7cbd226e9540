package kernel

const haveAVX2 = false

// pause does nothing here; where there is assembly it tells the core that this is a spin.
func pause() {}
