package commandline

import (
	"fmt"
	"time"

	"wenzhen.example/server/cli"
)

// keysCommand is about the keys of encryption at rest.
type keysCommand struct {
	List    keysListCommand    `cmd:"" help:"List the data keys, the newest last."`
	Rotate  keysRotateCommand  `cmd:"" help:"Make a new data key. A running server writes with it within seconds, and encrypts everything else with it after that."`
	Rewrap  keysRewrapCommand  `cmd:"" help:"Have the data keys wrapped by another master key, which is to be given from the next start on."`
	Encrypt keysEncryptCommand `cmd:"" help:"Encrypt everything with the newest data key at once, instead of when a server gets to it."`
}

type keysListCommand struct {
	cli.Place `embed:""`
}

// Run lists the data keys.
func (c *keysListCommand) Run(on console) error {
	keys, err := cli.EncryptionKeys(on.ctx, c.Place, on.log())
	if err != nil {
		return err
	}
	if len(keys) == 0 {
		fmt.Fprintln(on.out, "nothing is encrypted: there is no encryption key")
	}
	for i, k := range keys {
		state := "reads what was written before"
		switch newest := i == len(keys)-1; {
		case newest && k.CoveredAt != nil:
			state = "in use; everything was encrypted with it at " + k.CoveredAt.Format(time.RFC3339)
		case newest:
			state = "in use; not everything is encrypted with it yet"
		}
		fmt.Fprintf(on.out, "%s  made %s  %s\n", k.ID, k.CreatedAt.Format(time.RFC3339), state)
	}
	return nil
}

type keysRotateCommand struct {
	cli.Place `embed:""`
}

// Run makes a new data key.
func (c *keysRotateCommand) Run(on console) error {
	key, err := cli.RotateEncryptionKey(on.ctx, c.Place, on.log())
	if err != nil {
		return err
	}
	fmt.Fprintf(on.out, "the data key is %s from now on\n", key.ID)
	return nil
}

type keysRewrapCommand struct {
	cli.Place `embed:""`
	ToKey     string `env:"WENZHEN_ENCRYPTION_KEY_NEXT" help:"The new master key, at least 32 characters."`
	ToCommand string `env:"WENZHEN_ENCRYPTION_COMMAND_NEXT" help:"Or the command that asks a key management service."`
}

// Run wraps the data keys with another master key.
func (c *keysRewrapCommand) Run(on console) error {
	n, err := cli.RewrapEncryptionKeys(on.ctx, c.Place, c.ToKey, c.ToCommand, on.log())
	if err != nil {
		return err
	}
	fmt.Fprintf(on.out, "%d data keys are wrapped by the new master key; give that one from the next start on, and keep the old one for old backups\n", n)
	return nil
}

type keysEncryptCommand struct {
	cli.Place `embed:""`
}

// Run encrypts everything with the newest data key.
func (c *keysEncryptCommand) Run(on console) error {
	n, err := cli.EncryptAnew(on.ctx, c.Place, on.log())
	if err != nil {
		return err
	}
	fmt.Fprintf(on.out, "encrypted %d rows and files\n", n)
	return nil
}
