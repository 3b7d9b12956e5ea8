package client

import "slices"

// Route is where REST offers a command, under /api/v1. The table of them is
// generated from the server's own.
type Route struct {
	Method, Path, Command string
	// Anonymous routes are how one gets in; they take no access token.
	Anonymous bool
}

// Routes are all routes that ask for commands.
func Routes() []Route { return slices.Clone(routes) }

const thumbnailPath = "/attachments/:attachmentId/thumbnail"

// routeOf is the first route of a command.
func routeOf(command string) (Route, bool) {
	for _, r := range routes {
		if r.Command == command {
			return r, true
		}
	}
	return Route{}, false
}
