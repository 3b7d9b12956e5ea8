package notification

import (
	"wenzhen.example/rooms"
)

// The commands of the inbox.
var (
	List = rooms.Command[InboxInput, Inbox]{Name: "notification:list", Namespace: rooms.Notifications, For: rooms.Users,
		Access: rooms.Own,
		Doc:    "List the caller's notifications, latest first; with `after`, those after a seq, oldest first."}
	Read = rooms.Command[MarkReadInput, Marked]{Name: "notification:read", Namespace: rooms.Notifications, For: rooms.Users,
		Access: rooms.OwnerOnly,
		Doc:    "Mark notifications as read: those listed, or all up to one."}
	See = rooms.Command[MarkSeenInput, rooms.Nothing]{Name: "notification:see", Namespace: rooms.Notifications, For: rooms.Users,
		Access: rooms.Own,
		Doc:    "Report that a visible page has shown these notifications; they are not pushed any more."}

	ReadPreferences = rooms.Command[rooms.Nothing, Preferences]{Name: "preferences:read", For: rooms.Users, Access: rooms.Own,
		Doc: "Read the caller's notification preferences."}
	SavePreferences = rooms.Command[Preferences, Preferences]{Name: "preferences:save", For: rooms.Users, Access: rooms.Own,
		Doc: "Replace the caller's notification preferences. Kinds that are left out return to their defaults."}

	Subscribe = rooms.Command[SubscribeInput, Subscription]{Name: "push:subscribe", For: rooms.Users, Access: rooms.Own,
		Doc: "Start pushing to this browser (Push API), until the subscription or the login ends."}
	Unsubscribe = rooms.Command[SubscriptionInput, rooms.Nothing]{Name: "push:unsubscribe", For: rooms.Users, Access: rooms.OwnerOnly,
		Doc: "Stop pushing to one of the caller's browsers."}
)

// What happens in an inbox.
var (
	NotificationCreated = rooms.EventType[Arrived]{Name: "notification:created", Namespace: rooms.Notifications, Doc: "A notification arrived; it is " +
		"included in unread."}
	NotificationRead = rooms.EventType[Marked]{Name: "notification:read", Namespace: rooms.Notifications, Doc: "Notifications were read, on " +
		"this or another device."}
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
