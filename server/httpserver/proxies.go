package httpserver

import (
	"fmt"
	"net/http"
	"net/netip"
	"strings"
)

// Proxies are the addresses and networks whose X-Forwarded-For is believed.
type Proxies []netip.Prefix

// ReadProxies reads --trusted-proxies.
func ReadProxies(list []string) (Proxies, error) {
	var all Proxies
	for _, text := range list {
		prefix, err := netip.ParsePrefix(text)
		if err != nil {
			var addr netip.Addr
			if addr, err = netip.ParseAddr(text); err == nil {
				prefix = netip.PrefixFrom(addr, addr.BitLen())
			}
		}
		if err != nil {
			return nil, fmt.Errorf("configuration: --trusted-proxies: %q is neither an address nor a network", text)
		}
		all = append(all, unmapped(prefix).Masked())
	}
	return all, nil
}

// unmapped is a network as addresses are compared with it: without a zone, and
// IPv4 as itself.
func unmapped(prefix netip.Prefix) netip.Prefix {
	addr, bits := prefix.Addr().WithZone(""), prefix.Bits()
	if addr.Is4In6() && bits >= 96 {
		addr, bits = addr.Unmap(), bits-96
	}
	return netip.PrefixFrom(addr, bits)
}

func (p Proxies) trusted(addr netip.Addr) bool {
	for _, prefix := range p {
		if prefix.Contains(addr) {
			return true
		}
	}
	return false
}

// Client is the address that a request came from, for REST, sockets, the audit
// log and every limit: that of the other end of the connection or, where this
// is a trusted proxy, the last one that it names and that is not trusted
// itself. What a client claims further left counts for nothing. Of the headers
// that proxies use only X-Forwarded-For counts, all lines of it: X-Real-IP and
// Forwarded are ignored, because a proxy that sets one of them passes the
// others on as the client sent them.
func (p Proxies) Client(r *http.Request) string {
	addr, ok := readAddress(r.RemoteAddr)
	if !ok {
		return r.RemoteAddr
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0 && p.trusted(addr); i-- {
		next, ok := readAddress(hops[i])
		if !ok {
			break // no address: the proxy that sent it is the last one known
		}
		addr = next
	}
	return addr.String()
}

// readAddress reads an address as proxies write it: with a port or without,
// IPv6 in brackets or not. A zone names an interface of one machine only and
// is left out.
func readAddress(text string) (netip.Addr, bool) {
	text = strings.TrimSpace(text)
	addr, err := netip.ParseAddr(text)
	if err != nil {
		if strings.HasSuffix(text, "]") {
			text += ":0"
		}
		var withPort netip.AddrPort
		withPort, err = netip.ParseAddrPort(text)
		addr = withPort.Addr()
	}
	return addr.Unmap().WithZone(""), err == nil
}
