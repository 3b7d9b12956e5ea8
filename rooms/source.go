package rooms

import "net/netip"

// Source is a network that a limit per address counts.
type Source struct {
	Name string
	// Times is how many times the limit of one address it may have.
	Times int
}

// siteTimes is what a /48 of IPv6 may have: a company, or the customers of a
// small provider.
const siteTimes = 16

// Sources are what a limit per address counts a request from address for: IPv4
// as it is; of IPv6 the /64, of which a client has every address, and the /48
// around it, of which it may have every /64. What is no address is itself.
func Sources(address string) []Source {
	addr, err := netip.ParseAddr(address)
	addr = addr.Unmap().WithZone("")
	switch {
	case err != nil:
		return []Source{{address, 1}}
	case addr.Is4():
		return []Source{{addr.String(), 1}}
	}
	return []Source{{networkOf(addr, 64), 1}, {networkOf(addr, 48), siteTimes}}
}

func networkOf(addr netip.Addr, bits int) string {
	return netip.PrefixFrom(addr, bits).Masked().String()
}
