package load

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Options configure a scenario. The tags are those of the command line `wenzhen
// load`. Fields that are zero get the scenario's default.
type Options struct {
	Scenario    string        `arg:"" enum:"idle,connect,pair,fan,echo,durable,resume,whole" help:"The scenario: ${enum}."`
	Server      string        `default:"http://127.0.0.1:8080" env:"WENZHEN_SERVER" help:"The server's address."`
	Connections int           `help:"Connections to open; the members of the room in fan."`
	Rate        float64       `help:"Messages per second; default 1,000 in pair, 500 in whole, otherwise as fast as answers allow."`
	Duration    time.Duration `help:"Duration of the measurement, after a warm-up of a quarter of it."`
	Count       int           `help:"Maximum number of messages; in resume, the events that each client missed."`
	Window      int           `help:"Unanswered messages at a time while the rate is 0."`
	Payload     int           `help:"Bytes of a message's text."`
	Binary      bool          `help:"Send echo's payload as a binary attachment."`
	Ramp        bool          `help:"In pair and durable, raise the rate until p99 exceeds 50 ms or messages are late."`
	Polling     bool          `help:"Open every connection with long-polling and upgrade it to WebSocket, as browsers do."`
	Dialers     int           `help:"Connections to open at a time."`
	Bare        bool          `help:"The server is one of bench/peers, not Wenzhen: no accounts."`

	PID            int    `name:"pid" help:"The server's process, to measure its CPU time and memory (Linux)."`
	SocketsPerUser int    `default:"20" help:"Connections per account, no more than the server's --sockets-per-user."`
	AdminEmail     string `default:"admin@wenzhen.example" env:"WENZHEN_ADMIN_EMAIL" help:"An admin, who verifies doctors."`
	AdminPassword  string `default:"wenzhen-demo" env:"WENZHEN_ADMIN_PASSWORD" help:"The admin's password."`

	// Logins are access tokens to use in idle and connect instead of opening
	// accounts.
	Logins []string `kong:"-"`

	JSON  bool `name:"json" help:"Print the result as JSON and no progress."`
	Quiet bool `help:"Print the result only."`
}

// defaults are the default options of the scenarios.
var defaults = map[string]Options{
	"idle":    {Connections: 2000, Duration: 5 * time.Second},
	"connect": {Connections: 2000, Duration: time.Minute},
	"pair":    {Connections: 2000, Rate: 1000, Duration: 5 * time.Second, Payload: 200},
	"fan":     {Connections: 1000, Duration: 5 * time.Second, Payload: 200},
	"echo":    {Connections: 1, Duration: 3 * time.Second, Payload: 200},
	"durable": {Connections: 1000, Duration: 5 * time.Second, Payload: 200, Window: 100},
	"resume":  {Connections: 1000, Duration: time.Minute, Count: 100, Payload: 200, Window: 100},
	"whole":   {Connections: 5000, Rate: 500, Duration: 5 * time.Minute, Payload: 200},
}

// withDefaults sets the fields that are zero to the defaults, and validates all.
func (o Options) withDefaults() (Options, error) {
	d, ok := defaults[o.Scenario]
	if !ok {
		return o, fmt.Errorf("there is no scenario %q", o.Scenario)
	}
	if u, err := url.Parse(o.Server); err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return o, fmt.Errorf("the server's address must be like http://127.0.0.1:8080, not %q", o.Server)
	}
	o.Server = strings.TrimRight(o.Server, "/")
	orElse(&o.Connections, d.Connections)
	orElse(&o.Rate, d.Rate)
	orElse(&o.Duration, d.Duration)
	orElse(&o.Count, d.Count)
	orElse(&o.Window, d.Window)
	orElse(&o.Payload, d.Payload)
	orElse(&o.Dialers, 64)
	orElse(&o.SocketsPerUser, 20)
	orElse(&o.AdminEmail, "admin@wenzhen.example")
	orElse(&o.AdminPassword, "wenzhen-demo")
	switch {
	case o.Connections < 1 || o.Rate < 0 || o.Duration < 0 || o.Count < 0 || o.Window < 0 || o.Payload < 0,
		o.Dialers < 1 || o.SocketsPerUser < 1:
		return o, fmt.Errorf("numbers must not be negative")
	case slices.Contains([]string{"pair", "durable", "resume", "whole"}, o.Scenario) && o.Connections%2 == 1:
		return o, fmt.Errorf("%s needs an even number of connections", o.Scenario)
	}
	return o, nil
}

func orElse[T comparable](v *T, fallback T) {
	var zero T
	if *v == zero {
		*v = fallback
	}
}
