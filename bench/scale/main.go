// Command scale models Wenzhen with many nodes, from figures that were measured on
// one (bench/RESULTS.md): the load of nodes, database and network for a number of
// users, and the reconnects after a node fails. docs/scaling.md uses its results.
//
//	go run ./bench/scale
//	go run ./bench/scale -users 200000 -nodes 6
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
)

func main() {
	c := measured
	flag.IntVar(&c.Users, "users", c.Users, "connected users")
	flag.IntVar(&c.Nodes, "nodes", c.Nodes, "nodes; 0 tries several")
	flag.Float64Var(&c.PerUser, "rate", c.PerUser, "messages per second of one user")
	flag.Parse()
	report(os.Stdout, c)
}

func report(w io.Writer, c Clinic) {
	fmt.Fprintf(w, "%d users, %.0f messages/s in all\n\n", c.Users, c.Rate())
	fmt.Fprintln(w, "nodes   GB/node   own work     reading all     reading its rooms   read from the log MB/s")
	list := []int{4, 8, 16, 32, 64}
	if c.Nodes > 0 {
		list = []int{c.Nodes}
	}
	for _, n := range list {
		c.Nodes = n
		u := c.Load()
		fmt.Fprintf(w, "%5d   %7.2f   %7.1f%%   %12.1f%%   %18.1f%%   %10.1f\n", n, u.GB, 100*u.Own, 100*u.ReadAll, 100*u.ReadRooms, u.LogMB)
	}
	fmt.Fprintln(w, "\nA node fails: its clients reconnect with the pauses of our clients.")
	fmt.Fprintln(w, "nodes   lost sockets   accepted/s in all   half reconnected   all reconnected   busiest second")
	for _, n := range list {
		c.Nodes = n
		s := c.Storm()
		fmt.Fprintf(w, "%5d   %12d   %17d   %15.1fs   %14.1fs   %14d\n", n, s.Lost, s.Accepts, s.Half, s.All, s.Peak)
	}
}
