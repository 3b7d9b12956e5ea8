package edge

import (
	"bytes"
	"encoding/base64"
)

// separator stands between the packets of a polling payload.
const separator = 0x1e

// nextPacket reads the first packet of a polling payload. more is true if a
// separator follows it, so that rest has another packet. A binary packet is a
// 'b' and base64.
func nextPacket(payload []byte) (data []byte, binary bool, rest []byte, more bool, err error) {
	data = payload
	if i := bytes.IndexByte(payload, separator); i >= 0 {
		data, rest, more = payload[:i:i], payload[i+1:], true
	}
	if len(data) == 0 {
		return nil, false, nil, false, errMalformed
	}
	if data[0] != 'b' {
		return data, false, rest, more, nil
	}
	decoded := make([]byte, base64.StdEncoding.DecodedLen(len(data)-1))
	n, err := base64.StdEncoding.Decode(decoded, data[1:])
	if err != nil {
		return nil, false, nil, false, errMalformed
	}
	return decoded[:n], true, rest, more, nil
}

// appendPayload appends frames as a polling payload.
func appendPayload(buf []byte, frames []frame) []byte {
	for i, f := range frames {
		if i > 0 {
			buf = append(buf, separator)
		}
		if f.binary {
			buf = append(buf, 'b')
			buf = base64.StdEncoding.AppendEncode(buf, f.payload())
		} else {
			buf = append(buf, f.payload()...)
		}
	}
	return buf
}
