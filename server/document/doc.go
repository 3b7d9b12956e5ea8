// Package document makes PDF of what doctors sign: a page that a pharmacy, an
// employer or another doctor can read in Chinese and English, and check: its QR
// code opens the verification page with the hash that is printed.
package document
