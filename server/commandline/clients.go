package commandline

import (
	"errors"

	"wenzhen.example/client/load"
	"wenzhen.example/client/terminal"
	"wenzhen.example/rooms/consultation"
	"wenzhen.example/server/cli"
)

type terminalCommand struct {
	As       string          `required:"" help:"Who you are: an e-mail address, or the first part of one of the demo's (bo, jing, wang, li)."`
	Server   string          `default:"http://127.0.0.1:8080" env:"WENZHEN_SERVER" help:"The server's address."`
	Password string          `env:"WENZHEN_PASSWORD" help:"Your password; the demo's when not given."`
	With     consultation.ID `help:"The consultation to join; the latest open one when not given."`
}

// Run talks until /quit or the end of the input.
func (c *terminalCommand) Run(on console) error {
	return terminal.Run(on.ctx, terminal.Options{As: c.As, Server: c.Server, Password: c.Password, With: c.With}, on.in, on.out)
}

type loadCommand struct {
	load.Options `embed:""`
}

// Run measures, prints the result and fails if anything was lost.
func (c *loadCommand) Run(on console) error {
	result, err := load.Run(on.ctx, c.Options, on.out)
	if err == nil && !result.Clean() {
		err = errors.New("messages were lost, doubled or reordered")
	}
	return err
}

type readyCommand struct {
	Server string `default:"http://127.0.0.1:8080" env:"WENZHEN_SERVER" help:"The server's address."`
}

// Run asks once.
func (c *readyCommand) Run(on console) error {
	return cli.AskReady(on.ctx, c.Server)
}
