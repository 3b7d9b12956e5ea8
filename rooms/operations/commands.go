package operations

import (
	"strings"
	"time"

	"wenzhen.example/rooms"
)

// The commands of the admin dashboard.
var (
	Watch = rooms.Command[rooms.Nothing, StatsHistory]{Name: "stats:watch", Namespace: rooms.Admin, For: rooms.Admins, Access: rooms.All,
		Doc: "Subscribe to stats:updated. Connecting to /admin does this. The answer has the measurements of the last minutes."}
	Read = rooms.Command[rooms.Nothing, StatsHistory]{Name: "stats:read", For: rooms.Admins, Access: rooms.All,
		Doc: "Read the measurements of the last minutes."}
	Sockets = rooms.Command[SocketFilter, SocketList]{Name: "socket:list", Namespace: rooms.Admin, For: rooms.Admins, Access: rooms.All,
		Doc: "List the sockets of the node that answers, latest first. The list does not show who consults whom."}
	Rooms = rooms.Command[RoomFilter, RoomList]{Name: "room:list", Namespace: rooms.Admin, For: rooms.Admins, Access: rooms.All,
		Doc: "List the rooms with subscribers on the node that answers, largest first; rooms of consultations are only counted."}
	Disconnect = rooms.Command[SocketRef, rooms.Nothing]{Name: "socket:disconnect", Namespace: rooms.Admin, For: rooms.Admins,
		Access: rooms.All,
		Doc:    "Close the connection of a socket on any node. Its client does not reconnect by itself. Entered in the audit log."}
	DisconnectUser = rooms.Command[UserRef, rooms.Nothing]{Name: "user:disconnect", Namespace: rooms.Admin, For: rooms.Admins,
		Access: rooms.All,
		Doc: "Close all connections of a user on all nodes. The user may connect again; user:suspend prevents it. " +
			"Entered in the audit log."}
	Health = rooms.Command[rooms.Nothing, HealthReport]{Name: "health:read", For: rooms.Admins, Access: rooms.All,
		Doc: "Check the parts of the node that answers."}
	Settings = rooms.Command[rooms.Nothing, SettingList]{Name: "settings:read", For: rooms.Admins, Access: rooms.All,
		Doc: "Read the settings in effect on the node that answers, without secrets."}
)

// Updated is sent while an admin watches.
var Updated = rooms.SignalType[StatsReport]{Namespace: rooms.Admin, Name: "stats:updated", Doc: "Measurements of the server, " +
	"sent every two seconds."}

// Stats are figures of one node, or of all of them together. Rates are over
// the time since the figures before.
type Stats struct {
	// Connections are all that are open: Polling, WebSockets and Bare together.
	Connections int `json:"connections"`
	// Polling are those of Socket.IO over HTTP long-polling.
	Polling int `json:"polling"`
	// WebSockets are those of Socket.IO over WebSocket.
	WebSockets int `json:"webSockets"`
	// Bare are plain WebSockets in the lobby.
	Bare int `json:"bare"`
	// Sockets are memberships of namespaces: a connection may have several.
	Sockets int `json:"sockets"`
	// Rooms are those with a subscriber; one with subscribers on two nodes counts twice.
	Rooms int `json:"rooms"`
	// MessagesPerSecond are chat messages that were sent.
	MessagesPerSecond float64 `json:"messagesPerSecond"`
	// CommandsPerSecond are commands that were answered, over sockets and REST.
	CommandsPerSecond float64 `json:"commandsPerSecond"`
	// EventsInPerSecond are packets that came in over sockets.
	EventsInPerSecond float64 `json:"eventsInPerSecond"`
	// EventsOutPerSecond are packets that were sent to sockets, answers included.
	EventsOutPerSecond float64 `json:"eventsOutPerSecond"`
	BytesInPerSecond   float64 `json:"bytesInPerSecond"`
	BytesOutPerSecond  float64 `json:"bytesOutPerSecond"`
	// HeapBytes is the memory that Go's objects take up.
	HeapBytes uint64 `json:"heapBytes"`
	// Processors is how many of them are kept busy: 0.5 is half of one.
	Processors float64 `json:"processors"`
	Goroutines int     `json:"goroutines"`
}

// NodeStats are the figures of one node.
type NodeStats struct {
	// Node is its name: the machine's, and the port.
	Node    string `json:"node"`
	Version string `json:"version"`
	// StartedAt is in UTC.
	StartedAt time.Time `json:"startedAt"`
	Stats
	// Namespaces are those of Socket.IO.
	Namespaces []NamespaceStats `json:"namespaces"`
}

// NamespaceStats are the figures of a namespace of Socket.IO on one node.
type NamespaceStats struct {
	Name    string `json:"name"`
	Sockets int    `json:"sockets"`
	Rooms   int    `json:"rooms"`
}

// StatsReport is how the server is doing: all nodes together, and each of them.
type StatsReport struct {
	// At is in UTC.
	At time.Time `json:"at"`
	// Node is the one that tells.
	Node string `json:"node"`
	Stats
	Nodes []NodeStats `json:"nodes"`
}

// StatsSample is how the server was doing at a time.
type StatsSample struct {
	// At is in UTC.
	At time.Time `json:"at"`
	Stats
}

// StatsHistory is how the server is doing and has been in the last five minutes.
type StatsHistory struct {
	StatsReport
	// EveryMs is the time between two samples.
	EveryMs int `json:"everyMs"`
	// Samples are the earlier reports, the oldest first.
	Samples []StatsSample `json:"samples"`
}

// SocketFilter narrows sockets. Limit is 1 to 200, 50 by default. Room is none of
// those that SocketView counts as private.
type SocketFilter struct {
	Namespace string       `json:"namespace,omitempty"`
	Room      rooms.RoomID `json:"room,omitempty"`
	UserID    rooms.UserID `json:"userId,omitempty"`
	Limit     int          `json:"limit,omitempty" limit:"1..200"`
}

// SocketView is a socket as admins see it.
type SocketView struct {
	ID        string `json:"id"`
	Namespace string `json:"namespace"`
	// Transport is "polling" or "websocket".
	Transport string `json:"transport"`
	// Address is where it came from.
	Address string `json:"address"`
	// Agent is the device's own description of itself (User-Agent).
	Agent string `json:"agent,omitempty"`
	// ConnectedAt is in UTC.
	ConnectedAt time.Time `json:"connectedAt"`
	// UserID, Name and Role are those of its user; empty for a guest.
	UserID rooms.UserID `json:"userId,omitempty"`
	Name   string       `json:"name,omitempty"`
	Role   rooms.Role   `json:"role,omitempty"`
	// Rooms are those that it is subscribed to and that tell nothing of whom its user
	// consults; Private counts the others.
	Rooms   []rooms.RoomID `json:"rooms"`
	Private int            `json:"private"`
}

// private reports whether a room may show who consults whom: that of a
// consultation, or of a doctor's free times. Of these, admins see figures.
func private(room rooms.RoomID) bool {
	switch room.Kind() {
	case "user", "session", "visitor", "lobby", string(Room):
		return false
	}
	return strings.Contains(string(room), ":")
}

// SocketList are sockets of one node. Total is how many there are of this kind.
type SocketList struct {
	Node  string       `json:"node"`
	Total int          `json:"total"`
	Items []SocketView `json:"items"`
}

// RoomFilter narrows rooms to those whose name has Q in it. Limit is 1 to 200,
// 50 by default.
type RoomFilter struct {
	Q     string `json:"q,omitempty" limit:"..200"`
	Limit int    `json:"limit,omitempty" limit:"1..200"`
}

// RoomView is a room and how many sockets hear it.
type RoomView struct {
	Room      rooms.RoomID `json:"room"`
	Namespace string       `json:"namespace"`
	Members   int          `json:"members"`
}

// RoomList are rooms of one node that tell nothing of who consults whom. Total is
// how many there are of this kind. Private is about the others.
type RoomList struct {
	Node    string     `json:"node"`
	Total   int        `json:"total"`
	Items   []RoomView `json:"items"`
	Private RoomSum    `json:"private"`
}

// RoomSum is how many rooms have subscribers, and by how many sockets in all.
type RoomSum struct {
	Rooms   int `json:"rooms"`
	Members int `json:"members"`
}

// Validate implements rooms.Validator.
func (f SocketFilter) Validate() error {
	if private(f.Room) {
		return rooms.Invalid("room", "who is in a consultation is not listed; the way to see it is consultation:break-glass")
	}
	return nil
}

// SocketRef names a socket.
type SocketRef struct {
	SocketID string `json:"socketId"`
}

// Validate implements rooms.Validator.
func (in SocketRef) Validate() error {
	if in.SocketID == "" {
		return rooms.Invalid("socketId", "socketId is missing")
	}
	return nil
}

// UserRef names a user, and why.
type UserRef struct {
	UserID rooms.UserID `json:"userId"`
	// Reason is for the audit log.
	Reason string `json:"reason,omitempty" limit:"..500"`
}

// CheckState is how a part of the server is.
type CheckState string

// How a part is.
const (
	CheckOK      CheckState = "ok"
	CheckOff     CheckState = "off"     // not configured
	CheckFailing CheckState = "failing" // the server does without, or is not ready
)

// HealthCheck is what was found out about a part of the server.
type HealthCheck struct {
	// Name of the part: database, disk, redis, mail, relay …
	Name  string     `json:"name"`
	State CheckState `json:"state"`
	// Detail is a message in English.
	Detail string `json:"detail"`
	// Figures are the numbers in Detail, in their order, for texts in other
	// languages. A part that fails has none.
	Figures []int64 `json:"figures,omitempty"`
}

// HealthReport is what was found out about all parts.
type HealthReport struct {
	Node string `json:"node"`
	// Ready reports whether the node takes requests, as /readyz does.
	Ready  bool          `json:"ready"`
	Checks []HealthCheck `json:"checks"`
}

// Setting is one setting as it is in effect.
type Setting struct {
	// Flag is its name on the command line, without --.
	Flag string `json:"flag"`
	// Env is the environment variable.
	Env string `json:"env"`
	// Value is empty for a secret.
	Value string `json:"value"`
	// Changed reports whether it differs from the default.
	Changed bool `json:"changed"`
	// Secret ones are never told.
	Secret bool `json:"secret"`
	// Help is what it does.
	Help string `json:"help"`
}

// SettingList are all settings.
type SettingList struct {
	Node  string    `json:"node"`
	Items []Setting `json:"items"`
}
