package httpserver

import (
	"fmt"
	"net/http"
	"net/netip"
	"strings"
)

// Proxies are the addresses and networks whose X-Forwarded-For is trusted.
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

// unmapped returns a network without a zone, and an IPv4-mapped IPv6 network as
// IPv4. Addresses are compared in this form.
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

// Client returns the client's address of a request, for REST, sockets, the audit
// log and every limit: the address of the connection's peer or, if that is a
// trusted proxy, the last address in X-Forwarded-For that is not a trusted proxy.
// Addresses before that one are ignored, because the client may have sent them.
// All lines of X-Forwarded-For count. X-Real-IP and Forwarded are ignored, because
// a proxy that sets one of these headers forwards the others unchanged.
func (p Proxies) Client(r *http.Request) string {
	addr, ok := readAddress(r.RemoteAddr)
	if !ok {
		return r.RemoteAddr
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0 && p.trusted(addr); i-- {
		next, ok := readAddress(hops[i])
		if !ok {
			break // not an address: the proxy that sent it is the last known address
		}
		addr = next
	}
	return addr.String()
}

// readAddress reads an address in the forms of proxies: with or without a port,
// IPv6 with or without brackets. It removes the zone, which is meaningful on one
// machine only.
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
