// Package fhir tells other systems what Wenzhen knows in the words of HL7 FHIR
// R4 (https://hl7.org/fhir/R4/): read and search, in JSON.
//
// It owns no data and makes no judgement of its own about who may see what: it
// asks the catalogue's commands in the name of the user whose access token came
// with the request, and writes their answers as resources. What a user cannot
// read in Wenzhen is not there in FHIR either, and the audit log has every read.
package fhir
