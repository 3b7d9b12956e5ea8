package app

import (
	"wenzhen.example/rooms"
	"wenzhen.example/server/cluster"
)

// openNode makes this server one node among others, if there is a Redis to meet
// at, and the hub, which relays to them. Nothing is connected before join.
func (s *Server) openNode() error {
	hub := rooms.HubOptions{Depth: 256}
	if s.cfg.Redis != "" {
		node, err := cluster.New(cluster.Config{URL: s.cfg.Redis, Log: s.log, Now: s.clock})
		if err != nil {
			return err
		}
		s.node, hub.Relay = node, node.Signal
	}
	s.hub = rooms.NewHub(hub)
	return nil
}

// newPresence makes the presence of this node, which the others know of.
func (s *Server) newPresence() *rooms.Presence {
	if s.node == nil {
		return rooms.NewPresence(s.presenceChanged, nil)
	}
	return rooms.NewPresence(s.presenceChanged, s.node.Present)
}

// join connects this node with the others.
func (s *Server) join(p *parts) {
	if s.node != nil {
		s.node.Start(s.realtime, p.presence, p.limits)
	}
}

// troubles are what this node does without at the moment, by the name of the part.
func (s *Server) troubles() map[string]string {
	if s.node == nil || s.node.Status().Connected {
		return nil
	}
	return map[string]string{"redis": "cannot be reached: signals and presence stay on each node; nothing else is affected"}
}
