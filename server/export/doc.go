// Package export writes what Wenzhen has of a person into one ZIP archive for
// that person:
//
//	index.html                            to read: who one is, and a way to all else
//	account.json, patients.json, …        the same for machines, one JSON value each
//	fhir.json                             records as a Bundle of FHIR R4
//	records/<patient>.json                allergies, conditions, medications, history
//	consultations/<id>/index.html         a consultation to read
//	consultations/<id>/…json              the same for machines, with its whole log
//	consultations/<id>/files/…            what was sent and received in it
//	consultations/<id>/documents/….pdf    what was signed
//	manifest.json                         last: size and SHA-256 of each of the above
//
// It asks the catalogue's commands in that person's name and knows no database:
// what they may not see cannot get in, and reads of records are audited like
// any other. Only consultations in which the person is the patient are in it;
// those in which they treated or accompanied someone belong to that person.
//
// The archive is written as it is made; nothing of it is held whole but single
// pages of lists.
package export
