// Package terminal is `wenzhen chat`: a consultation in a terminal. It is a
// program on top of package client, which does not depend on a screen.
package terminal
