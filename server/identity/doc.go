// Package identity is Wenzhen as a relying party of OpenID providers (OpenID
// Connect Core 1.0): people log in with an account that they already have.
//
// A login is the code flow with PKCE (RFC 7636), a nonce and a state. What a
// provider says about itself is found by discovery and read again every hour;
// its signing keys are fetched whenever one is met that is not known. An answer
// that names another issuer than the one that was asked (RFC 9207), or an ID
// token that was made for somebody else, by somebody else, for another login,
// or with no signature, is refused.
//
// Whose account an identity opens is not decided here but in package account.
package identity
