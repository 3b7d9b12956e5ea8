package app

import (
	"wenzhen/rooms"
	"wenzhen/server/cluster"
	"wenzhen/server/limits"
)

// join makes this server one node among others, if there is a Redis to meet at.
func (s *Server) join(presence *rooms.Presence, commands *limits.Limits) error {
	if s.cfg.Redis == "" {
		s.desk.Show(s.realtime.Desk(), nil)
		return nil
	}
	node, err := cluster.New(cluster.Config{URL: s.cfg.Redis, Log: s.log, Now: s.clock})
	if err != nil {
		return err
	}
	s.node = node
	presence.Share(node.Present)
	s.hub.Relay(node.Signal)
	node.Start(s.realtime, presence, commands)
	s.desk.Show(s.realtime.Desk(), node)
	return nil
}

// troubles are what this node does without at the moment, by the name of the part.
func (s *Server) troubles() map[string]string {
	if s.node == nil || s.node.Status().Connected {
		return nil
	}
	return map[string]string{"redis": "cannot be reached: signals and presence stay on each node; nothing else is affected"}
}
