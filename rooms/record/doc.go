// Package record is what doctors decide and what becomes of it: diagnoses,
// prescriptions, closing summaries, and the patient's own record.
//
// A document starts as a draft that only its doctor sees. Signing fixes it: a
// SHA-256 over its canonical content, signer and time, sealed with a key that
// is not in the database. From then on nothing changes it. An amendment is a
// new version that names the one it supersedes; what a pharmacist decides is a
// chain of decisions beside the prescription; the patient's record grows by
// whole versions. Every read is in the audit log.
package record
