package audit

// Actions that are not the names of commands.
const (
	LoggedIn       = "auth:login"
	LoginFailed    = "auth:failed"
	MessageRead    = "message:read"
	AttachmentRead = "attachment:read"
	OrderRefunded  = "order:refund"
	// RoleChanged is that somebody got or lost a duty beside their role; the detail
	// is the command. ExportRead is that somebody took their data along. Entries of
	// before have the commands instead: pharmacist:appoint, pharmacist:dismiss,
	// account:export.
	RoleChanged = "role:change"
	ExportRead  = "export:read"
	// Entered is that somebody who was invited by address took their place.
	Entered = "consultation:enter"
	// Broken is that what is before the entry has been rewritten or cut.
	Broken = "audit:broken"
	// KeyAccepted is that an admin of the machine had the server make a new key
	// for the log, because the old one was lost.
	KeyAccepted = "audit:key"
	// HeadKept is that there was no copy of the log's end outside the database, and
	// that one is kept from here on: the database was restored from a backup, or the
	// copy was removed, or it is from before there was one.
	HeadKept = "audit:head"
	// MessagesExpired is that the messages and files of a consultation were
	// removed, because the time is over for which they are kept.
	MessagesExpired = "message:expire"
	// Reassigned is that another doctor took the place of the doctor.
	Reassigned = "consultation:reassign"
)

// Actions of the command line.
const (
	BackupMade     = "backup:make"
	BackupRestored = "backup:restore"
	AuditExported  = "audit:export"
	DatabaseMoved  = "database:move"
	KeyRotated     = "key:rotate"
	KeysRewrapped  = "key:rewrap"
	EncryptedAnew  = "key:encrypt"
	UserShown      = "user:show"
	CodesLoaded    = "icd10:load"
	DrugsLoaded    = "drug:load"
)
