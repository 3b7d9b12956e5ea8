package notification

import (
	"wenzhen/rooms"
)

// The commands of the inbox.
var (
	List = rooms.Command[InboxInput, Inbox]{Name: "notification:list", Namespace: rooms.Notifications, For: rooms.Users,
		Access: rooms.Own,
		Doc:    "List the caller's notifications, latest first; with `after`, those after a seq, oldest first."}
	Read = rooms.Command[MarkReadInput, Marked]{Name: "notification:read", Namespace: rooms.Notifications, For: rooms.Users,
		Access: rooms.OwnerOnly,
		Doc:    "Notifications have been read: some, or all up to one."}
	See = rooms.Command[MarkSeenInput, rooms.Nothing]{Name: "notification:see", Namespace: rooms.Notifications, For: rooms.Users,
		Access: rooms.Own,
		Doc:    "A page that is being looked at has shown these notifications: they need not be pushed any more."}

	ReadPreferences = rooms.Command[rooms.Nothing, Preferences]{Name: "preferences:read", For: rooms.Users, Access: rooms.Own,
		Doc: "Read what one wants to be told, and when."}
	SavePreferences = rooms.Command[Preferences, Preferences]{Name: "preferences:save", For: rooms.Users, Access: rooms.Own,
		Doc: "Replace what one wants to be told, and when. Kinds that are left out go back to their defaults."}

	Subscribe = rooms.Command[SubscribeInput, Subscription]{Name: "push:subscribe", For: rooms.Users, Access: rooms.Own,
		Doc: "Push to this browser (Push API) from now on, until it or its login ends."}
	Unsubscribe = rooms.Command[SubscriptionInput, rooms.Nothing]{Name: "push:unsubscribe", For: rooms.Users, Access: rooms.OwnerOnly,
		Doc: "Stop pushing to one of the caller's browsers."}
)

// What happens in an inbox.
var (
	Created = rooms.Event[Arrived]{Name: "notification:created", Namespace: rooms.Notifications, Doc: "A notification has come; unread counts it."}
	WasRead = rooms.Event[Marked]{Name: "notification:read", Namespace: rooms.Notifications, Doc: "Notifications have been read, here or on another device."}
)

// InboxInput asks for a page. Limit is 1 to 100, 30 by default.
type InboxInput struct {
	// Unread leaves out what has been read.
	Unread bool   `json:"unread,omitempty"`
	Cursor string `json:"cursor,omitempty"`
	Limit  int    `json:"limit,omitempty" limit:"1..100"`
	// After asks for what follows a seq of the user's own room instead.
	After *rooms.Seq `json:"after,omitempty"`
}

// Inbox is a page of the caller's inbox.
type Inbox struct {
	Items      []Notification `json:"items"`
	NextCursor string         `json:"nextCursor"`
	// HasMore says, with `after`, that there are later ones: ask again with the
	// seq of the last.
	HasMore bool `json:"hasMore"`
	// Unread is how many are unread in all, as of LastSeq.
	Unread  int       `json:"unread"`
	LastSeq rooms.Seq `json:"lastSeq"`
}

// MarkReadInput names what has been read: all up to one, or some.
type MarkReadInput struct {
	UpToID ID   `json:"upToId,omitempty"`
	IDs    []ID `json:"ids,omitempty" limit:"..500"`
}

// Validate implements rooms.Validator.
func (in MarkReadInput) Validate() error {
	switch {
	case in.UpToID == "" && len(in.IDs) == 0:
		return rooms.Invalid("ids", "name the notifications in ids, or the last one in upToId")
	case in.UpToID != "" && len(in.IDs) > 0:
		return rooms.Invalid("ids", "ids and upToId do not go together")
	}
	return nil
}

// MarkSeenInput names what has been shown.
type MarkSeenInput struct {
	IDs []ID `json:"ids" limit:"1..500"`
}
