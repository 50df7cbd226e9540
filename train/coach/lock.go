package coach

import (
	"instruct/checkpoints"
	"instruct/model/pretrained"
)

// Lock keeps other rounds out of a behaviour folder until unlock is called or the process ends, however it ends.
func Lock(behaviour string) (unlock func(), err error) {
	if _, err := pretrained.Current(behaviour); err != nil {
		return nil, err
	}
	unlock, ok, err := checkpoints.Lock(behaviour)
	if err != nil {
		return nil, mistake("behaviour %s: %s", behaviour, checkpoints.Reason(err))
	}
	if !ok {
		return nil, mistake("behaviour %s: another round is at work in it; wait for its end", behaviour)
	}
	return unlock, nil
}
