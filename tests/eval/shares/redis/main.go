// SPDX-License-Identifier: Apache-2.0

// Redis keeps values for clients that speak its protocol.
package main

import (
	"log"
	"os"
	"strings"
	"sync"

	"github.com/tidwall/redcon"
)

type store struct {
	mutex  sync.RWMutex
	values map[string][]byte
}

func (s *store) set(key, value []byte) {
	kept := append([]byte(nil), value...)
	s.mutex.Lock()
	s.values[string(key)] = kept
	s.mutex.Unlock()
}

func (s *store) get(key []byte) ([]byte, bool) {
	s.mutex.RLock()
	defer s.mutex.RUnlock()
	value, found := s.values[string(key)]
	return value, found
}

func (s *store) remove(key []byte) bool {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	_, found := s.values[string(key)]
	delete(s.values, string(key))
	return found
}

func (s *store) serve(conn redcon.Conn, command redcon.Command) {
	arguments := command.Args
	switch name := strings.ToLower(string(arguments[0])); {
	case name == "set" && len(arguments) == 3:
		s.set(arguments[1], arguments[2])
		conn.WriteString("OK")
	case name == "get" && len(arguments) == 2:
		if value, found := s.get(arguments[1]); found {
			conn.WriteBulk(value)
		} else {
			conn.WriteNull()
		}
	case name == "del" && len(arguments) == 2:
		if s.remove(arguments[1]) {
			conn.WriteInt(1)
		} else {
			conn.WriteInt(0)
		}
	default:
		conn.WriteError("ERR what is meant by '" + name + "'?")
	}
}

func main() {
	kept := &store{values: map[string][]byte{}}
	log.Fatal(redcon.ListenAndServe(os.Args[1], kept.serve,
		func(redcon.Conn) bool { return true }, func(redcon.Conn, error) {}))
}
