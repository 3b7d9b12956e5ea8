// Package push sends Web Push messages (RFC 8030) to browsers: encrypted for
// the one browser (RFC 8291, aes128gcm of RFC 8188) and signed by this server
// (VAPID, RFC 8292). What a push service learns is when, and how urgent; every
// message is padded to the same length.
//
// Endpoints come from clients, so they are kept from reaching into the network
// that the server is in: https to public addresses alone, and no redirects.
package push
