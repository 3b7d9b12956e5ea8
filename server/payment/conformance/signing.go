package conformance

import (
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/md5"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Sign signs a text as Alipay and WeChat Pay do: SHA-256 with RSA (PKCS #1
// v1.5), in base64.
func Sign(t testing.TB, key *rsa.PrivateKey, text []byte) string {
	t.Helper()
	sum := sha256.Sum256(text)
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(signature)
}

// AlipayText is what a signature of Alipay covers: the fields that are not
// empty, in order, as name=value.
func AlipayText(values url.Values, but ...string) []byte {
	var parts []string
	for name := range values {
		if !slices.Contains(but, name) && values.Get(name) != "" {
			parts = append(parts, name+"="+values.Get(name))
		}
	}
	slices.Sort(parts)
	return []byte(strings.Join(parts, "&"))
}

// AlipayNumber returns the number by which Alipay identifies a certificate: the
// MD5 sum of its issuer and serial number, in hex.
func AlipayNumber(c *x509.Certificate) string {
	sum := md5.Sum([]byte(c.Issuer.String() + c.SerialNumber.String()))
	return hex.EncodeToString(sum[:])
}

// AlipayForm is the body of a callback of Alipay that says what values do.
func AlipayForm(t testing.TB, key *rsa.PrivateKey, cert *x509.Certificate, values url.Values) []byte {
	t.Helper()
	values.Set("sign", Sign(t, key, AlipayText(values, "sign", "sign_type", "alipay_cert_sn")))
	values.Set("sign_type", "RSA2")
	values.Set("alipay_cert_sn", AlipayNumber(cert))
	return []byte(values.Encode())
}

// WechatHeaders sign what WeChat Pay says, with the certificate of that serial
// number, as of a time.
func WechatHeaders(t testing.TB, key *rsa.PrivateKey, serial string, body []byte, at time.Time) http.Header {
	t.Helper()
	stamp, nonce := strconv.FormatInt(at.Unix(), 10), "5K8264ILTKCH16CQ2502SI8ZNMTM67VS"
	h := http.Header{}
	h.Set("Wechatpay-Serial", serial)
	h.Set("Wechatpay-Timestamp", stamp)
	h.Set("Wechatpay-Nonce", nonce)
	h.Set("Wechatpay-Signature", Sign(t, key, fmt.Appendf(nil, "%s\n%s\n%s\n", stamp, nonce, body)))
	h.Set("Request-ID", "test")
	return h
}

// WechatSealed encrypts the content of a callback of WeChat Pay.
func WechatSealed(t testing.TB, apiKey string, plain []byte) map[string]any {
	t.Helper()
	block, err := aes.NewCipher([]byte(apiKey))
	if err != nil {
		t.Fatal(err)
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		t.Fatal(err)
	}
	const nonce, data = "0123456789ab", "transaction"
	return map[string]any{"original_type": "transaction", "algorithm": "AEAD_AES_256_GCM", "nonce": nonce, "associated_data": data,
		"ciphertext": base64.StdEncoding.EncodeToString(gcm.Seal(nil, []byte(nonce), plain, []byte(data)))}
}
