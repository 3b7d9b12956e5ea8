// Package chat is what people say in a consultation: messages with their
// receipts, recalls, attachments and search, a doctor's quick replies, and who
// is typing.
//
// A message is made once: clientId, chosen by the sender's device, names it
// across resends. It is never edited. Recalling it within two minutes hides
// its content from everyone; the record keeps it for the audit.
package chat
