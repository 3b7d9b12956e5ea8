// Package terminal implements `wenzhen chat`: a consultation in a terminal, with
// package client.
package terminal
