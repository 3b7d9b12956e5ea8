package commandline

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
	"wenzhen.example/server/cli"
)

// usersCommand administers accounts without a browser.
type usersCommand struct {
	List              usersListCommand              `cmd:"" help:"List accounts, the latest first."`
	Show              usersShowCommand              `cmd:"" help:"Show one account, with the profile of a doctor."`
	Suspend           usersSuspendCommand           `cmd:"" help:"Suspend an account; the server ends what is open and refunds it."`
	Unsuspend         usersUnsuspendCommand         `cmd:"" help:"Lift a suspension."`
	ResetSecondFactor usersResetSecondFactorCommand `cmd:"" help:"Remove the second factor of an account whose owner has lost it, and log the owner out."`
	Verify            usersVerifyCommand            `cmd:"" help:"Verify a doctor's name, title, department and licence as they are."`
	Unverify          usersUnverifyCommand          `cmd:"" help:"Reject a doctor's data or withdraw the verification, with a reason."`
}

// listing is how a command prints.
type listing struct {
	Output string `default:"text" enum:"text,json" help:"How to print: ${enum}."`
}

// print writes v as one line of JSON, or else as text.
func (l listing) print(w io.Writer, v any, text string) error {
	if l.Output == "json" {
		return json.NewEncoder(w).Encode(v)
	}
	_, err := fmt.Fprintln(w, text)
	return err
}

type usersListCommand struct {
	cli.Place `embed:""`
	listing   `embed:""`
	Role      string `enum:",patient,doctor,admin" default:"" help:"Only those with this role: patient, doctor or admin."`
	Q         string `help:"Only those with this in name or e-mail address."`
}

// Run lists accounts, one a line.
func (c *usersListCommand) Run(on console) error {
	return cli.ListUsers(on.ctx, c.Place, account.UserFilter{Q: c.Q, Role: rooms.Role(c.Role)}, on.log(), func(u account.User) error {
		return c.print(on.out, u, userLine(u))
	})
}

func userLine(u account.User) string {
	line := fmt.Sprintf("%s  %-7s  %s  %s", u.ID, u.Role, u.Email, u.Name)
	switch {
	case u.Erased:
		line += "  (erased)"
	case u.Suspended:
		line += "  (suspended)"
	}
	return line
}

func recordText(r account.UserRecord) string {
	lines := []string{userLine(r.User)}
	if d := r.Doctor; d != nil {
		lines = append(lines, "title: "+d.Title, "department: "+d.Department, "licence: "+d.Licence, fmt.Sprintf("verified: %t", d.Verified))
		if d.Rejection != "" {
			lines = append(lines, "rejected: "+d.Rejection)
		}
	}
	return strings.Join(lines, "\n")
}

// whom is the account that a command is about.
type whom struct {
	cli.Place `embed:""`
	listing   `embed:""`
	User      string `arg:"" help:"The account's id or e-mail address."`
}

func (c whom) does(on console, command, reason string) error {
	r, err := cli.AdministerUser(on.ctx, c.Place, command, c.User, reason, on.log())
	if err != nil {
		return err
	}
	return c.print(on.out, r, recordText(r))
}

type usersShowCommand struct {
	whom `embed:""`
}

// Run shows an account.
func (c *usersShowCommand) Run(on console) error {
	r, err := cli.FindUser(on.ctx, c.Place, c.User, on.log())
	if err != nil {
		return err
	}
	return c.print(on.out, r, recordText(r))
}

type usersSuspendCommand struct {
	whom `embed:""`
}

// Run suspends an account.
func (c *usersSuspendCommand) Run(on console) error {
	return c.does(on, account.SuspendUser.Name, "")
}

type usersUnsuspendCommand struct {
	whom `embed:""`
}

// Run lifts a suspension.
func (c *usersUnsuspendCommand) Run(on console) error {
	return c.does(on, account.UnsuspendUser.Name, "")
}

type usersResetSecondFactorCommand struct {
	whom `embed:""`
}

// Run removes a second factor.
func (c *usersResetSecondFactorCommand) Run(on console) error {
	return c.does(on, account.ResetSecondFactor.Name, "")
}

type usersVerifyCommand struct {
	whom `embed:""`
}

// Run verifies.
func (c *usersVerifyCommand) Run(on console) error {
	return c.does(on, account.VerifyDoctor.Name, "")
}

type usersUnverifyCommand struct {
	whom   `embed:""`
	Reason string `required:"" help:"Why; the doctor reads it. 1 to 1000 characters."`
}

// Run rejects, or withdraws a verification.
func (c *usersUnverifyCommand) Run(on console) error {
	return c.does(on, account.UnverifyDoctor.Name, c.Reason)
}
