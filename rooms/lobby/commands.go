package lobby

import (
	"time"

	"wenzhen.example/rooms"
)

// Room is where everyone is.
const Room rooms.RoomID = "lobby"

// Limits.
const (
	Remembered = 50 // lines that newcomers are shown
)

// TextLimit is the length of a line in characters.
var TextLimit = rooms.MostOf[SayInput]("Text")

// The commands of the lobby.
var (
	Enter = rooms.Command[NicknameInput, Entered]{Name: "lobby:enter", Namespace: rooms.Lobby, For: rooms.Anyone, Access: rooms.Own,
		Doc: "Enter the lobby. Connecting to /lobby does this, with the handshake's auth as input. Entering twice changes nothing."}
	Say = rooms.Command[SayInput, Line]{Name: "lobby:say", Namespace: rooms.Lobby, For: rooms.Anyone, Access: rooms.Own,
		Doc: "Send a line of at most 500 characters to everyone in the lobby."}
	Rename = rooms.Command[NicknameInput, Entered]{Name: "lobby:rename", Namespace: rooms.Lobby, For: rooms.Anyone, Access: rooms.Own,
		Doc: "Change the nickname."}
)

// The signals of the lobby.
var (
	Welcome = rooms.SignalType[Greeting]{Namespace: rooms.Lobby, Name: "lobby:welcome", Doc: "You entered the lobby: the " +
		"welcome line, your nickname, who is present, and the latest lines."}
	Said     = rooms.SignalType[Line]{Namespace: rooms.Lobby, Name: "lobby:said", Doc: "A line was sent to the lobby."}
	Presence = rooms.SignalType[Count]{Namespace: rooms.Lobby, Name: "lobby:presence", Doc: "The number of people in the " +
		"lobby changed; sent at most four times a second."}
)

// NicknameInput is how one wants to be called.
type NicknameInput struct {
	// Nickname has at most 24 characters; one that is taken gets a number, and
	// who gives none is called guest-….
	Nickname string `json:"nickname,omitempty" limit:"..24"`
}

// Validate implements rooms.Validator.
func (in NicknameInput) Validate() error {
	switch name := oneLine(in.Nickname); {
	case in.Nickname == "":
		return nil
	case name == "" || name[0] == '*' || name[0] == '/':
		return rooms.Invalid("nickname", "a nickname has a letter in it, and does not begin with * or /")
	}
	return nil
}

// SayInput is what one says.
type SayInput struct {
	// Text is a line of at most 500 characters; HTML means nothing in it.
	Text string `json:"text" limit:"..500"`
}

// Validate implements rooms.Validator.
func (in SayInput) Validate() error {
	if oneLine(in.Text) == "" {
		return rooms.Invalid("text", "say something")
	}
	return nil
}

// Entered is how one is called.
type Entered struct {
	Nickname string `json:"nickname"`
}

// Line is what someone said.
type Line struct {
	ID       string `json:"id"`
	Nickname string `json:"nickname"`
	Text     string `json:"text"`
	// At is in UTC.
	At time.Time `json:"at"`
}

// Greeting is the content of the welcome.
type Greeting struct {
	// Text is the welcome line.
	Text string `json:"text"`
	// Nickname is yours.
	Nickname string `json:"nickname"`
	// Count is how many are there, you included.
	Count int `json:"count"`
	// Lines were said before, the oldest first.
	Lines []Line `json:"lines"`
}

// Count is how many are there.
type Count struct {
	Count int `json:"count"`
}
