package store

import "wenzhen/rooms/store/engine"

// sealed are the tables of the features with columns that are encrypted at rest.
// What is written to or read from one of these columns passes seal and unseal;
// what is not in the list lies in the clear
// (docs/decisions/0024-encryption-at-rest.md).
var sealed = []engine.SealedTable{
	{Name: "messages", Key: []string{"id"}, Columns: []string{"text", "detail", "peaks"}},
	{Name: "attachments", Key: []string{"id"}, Columns: []string{"name"}},
	{Name: "consultations", Key: []string{"id"}, Columns: []string{"complaint", "prior_diagnosis", "reason", "summary"}},
	{Name: "documents", Key: []string{"id"}, Columns: []string{"content", "signed_as"}},
	{Name: "decisions", Key: []string{"document_id", "num"}, Columns: []string{"reason"}},
	{Name: "backgrounds", Key: []string{"patient_id", "version"}, Columns: []string{"content"}},
	{Name: "appointments", Key: []string{"id"}, Columns: []string{"complaint", "reason"}},
	{Name: "waits", Key: []string{"id"}, Columns: []string{"complaint", "prior_diagnosis"}},
	{Name: "board_strokes", Key: []string{"consultation_id", "seq"}, Columns: []string{"stroke"}},
	{Name: "notifications", Key: []string{"id"}, Columns: []string{"facts"}},
	{Name: "doctors", Key: []string{"user_id"}, Columns: []string{"rejection"}},
	{Name: "invitations", Key: []string{"id"}, Columns: []string{"invitee"}},
	{Name: "quick_replies", Key: []string{"user_id"}, Columns: []string{"replies"}},
	{Name: "templates", Key: []string{"user_id"}, Columns: []string{"templates"}},
	{Name: "exceptions", Key: []string{"id"}, Columns: []string{"note"}},
	{Name: "legal_holds", Key: []string{"user_id"}, Columns: []string{"reason"}},
	{Name: "refunds", Key: []string{"id"}, Columns: []string{"note"}},
	{Name: "audit", Key: []string{"num"}, Columns: []string{"reason"}},
}
