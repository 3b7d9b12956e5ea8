// Package operations is what an admin sees of the server while it runs: its
// connections, rooms and traffic over the last minutes, whether its parts are
// well, and the settings in effect. An admin can cut a connection, or all of a
// user's; that is in the audit log.
//
// What is measured costs the same whatever the number of connections. Each
// node measures itself; where nodes meet they show each other's figures.
package operations
