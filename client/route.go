package client

import "slices"

// Route is the REST route of a command, under /api/v1. The table of routes is
// generated from the server's.
type Route struct {
	Method, Path, Command string
	// Anonymous routes need no access token, for example those for logging in.
	Anonymous bool
}

// Routes returns the routes of all commands.
func Routes() []Route { return slices.Clone(routes) }

const thumbnailPath = "/attachments/:attachmentId/thumbnail"

// routeOf returns the first route of a command.
func routeOf(command string) (Route, bool) {
	for _, r := range routes {
		if r.Command == command {
			return r, true
		}
	}
	return Route{}, false
}
