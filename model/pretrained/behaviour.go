package pretrained

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"instruct/checkpoints"
	"instruct/checkpoints/bounded"
)

// A behaviour folder is a line of models: rounds/000 names the first one, rounds/001 and on are model folders, and
// current is the number of the one that counts.
const (
	CurrentFile = "current"
	roundsDir   = "rounds"
	baseFile    = "base.json"
)

// Base is what rounds/000 of a behaviour folder says of the model that the rounds began with.
type Base struct {
	Model   string `json:"model"` // path
	Weights string `json:"weights_sha256"`
}

// RoundDir is the folder of a round of a behaviour folder.
func RoundDir(behaviour string, round int) string {
	return filepath.Join(behaviour, roundsDir, fmt.Sprintf("%03d", round))
}

// IsBehaviour tells whether path is a behaviour folder, if only a half written one.
func IsBehaviour(path string) bool {
	_, noCurrent := os.Stat(filepath.Join(path, CurrentFile))
	_, noRounds := os.Stat(filepath.Join(path, roundsDir))
	return noCurrent == nil || noRounds == nil
}

// Current is the number of the round that counts.
func Current(behaviour string) (int, error) {
	text, err := bounded.ReadFile(filepath.Join(behaviour, CurrentFile))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, mistake("behaviour %s is not whole: it has no file %s that says which round counts", behaviour, CurrentFile)
	}
	if err != nil {
		return 0, mistake("behaviour %s: %s", behaviour, checkpoints.Reason(err))
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil || n < 0 {
		return 0, mistake("behaviour %s: %s holds %.20q; expected the number of a round", behaviour, CurrentFile, text)
	}
	return n, nil
}

// SetCurrent makes a round the one that counts.
func SetCurrent(behaviour string, round int) error {
	return checkpoints.WriteFile(filepath.Join(behaviour, CurrentFile), fmt.Appendf(nil, "%d\n", round))
}

// Begin makes a behaviour folder of a model, whole or not at all. A relative path of the model is kept as an absolute
// one.
func Begin(behaviour string, base Base) error {
	path, err := filepath.Abs(base.Model)
	if err != nil {
		return err
	}
	base.Model = path
	text, err := json.MarshalIndent(base, "", "  ")
	if err != nil {
		return err
	}
	return checkpoints.NewDir(behaviour, func(tmp string) error {
		if err := os.MkdirAll(RoundDir(tmp, 0), 0o755); err != nil {
			return err
		}
		if err := checkpoints.WriteFile(filepath.Join(RoundDir(tmp, 0), baseFile), append(text, '\n')); err != nil {
			return err
		}
		return SetCurrent(tmp, 0)
	})
}

// ReadBase reads what a behaviour folder says of its first model.
func ReadBase(behaviour string) (Base, error) {
	var b Base
	path := filepath.Join(RoundDir(behaviour, 0), baseFile)
	text, err := bounded.ReadFile(path)
	if err != nil {
		return b, mistake("behaviour %s is not whole: %s: %s", behaviour, path, checkpoints.Reason(err))
	}
	if err := json.Unmarshal(text, &b); err != nil || b.Model == "" {
		return b, mistake(`behaviour %s: %s: expected {"model": PATH, "weights_sha256": ...}`, behaviour, path)
	}
	return b, nil
}

// Resolve gives the folder or file that path means: of a behaviour folder the model of its current round, else path.
func Resolve(path string) (string, error) {
	if !IsBehaviour(path) {
		return path, nil
	}
	n, err := Current(path)
	if err != nil {
		return "", err
	}
	return ResolveRound(path, n)
}

// ResolveRound gives the model of a round.
func ResolveRound(behaviour string, round int) (string, error) {
	if round == 0 {
		b, err := ReadBase(behaviour)
		if err != nil {
			return "", err
		}
		if _, err := os.Stat(b.Model); err != nil {
			return "", mistake("behaviour %s: its first model, %s, is gone (%s); put it back there", behaviour, b.Model,
				checkpoints.Reason(err))
		}
		return b.Model, nil
	}
	dir := RoundDir(behaviour, round)
	if _, err := os.Stat(filepath.Join(dir, configFile)); err != nil {
		return "", mistake("behaviour %s is not whole: there is no model of round %d in %s", behaviour, round, dir)
	}
	return dir, nil
}
