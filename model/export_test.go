package model

// New makes the parameters of c, all zero; see [Model.Init] and [Model.Load].
func New(c Config) (*Model, error) {
	m, err := Outline(c)
	if err != nil {
		return nil, err
	}
	return m, m.Allocate()
}
