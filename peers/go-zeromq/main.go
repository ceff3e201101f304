// Control protocol adapter for go-zeromq/zmq4. It reports; it judges nothing.
//
// The library serves its sockets in goroutines of its own, so between requests there is nothing to do but to wait
// for the next one.
package main

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"runtime/debug"
	"time"
)

// octets are hex digits in JSON.
type octets []byte

func (o octets) MarshalJSON() ([]byte, error) { return json.Marshal(hex.EncodeToString(o)) }

func (o *octets) UnmarshalJSON(text []byte) error {
	var digits string
	err := json.Unmarshal(text, &digits)
	if err == nil {
		*o, err = hex.DecodeString(digits)
	}
	return err
}

type request struct {
	ID        int                        `json:"id"`
	Op        string                     `json:"op"`
	Type      string                     `json:"type"`
	Options   map[string]json.RawMessage `json:"options"`
	Socket    int                        `json:"socket"`
	Sockets   []int                      `json:"sockets"`
	Endpoint  string                     `json:"endpoint"`
	Prefix    octets                     `json:"prefix"`
	Parts     []octets                   `json:"parts"`
	Head      []octets                   `json:"head"`
	Count     int                        `json:"count"`
	Size      int                        `json:"size_octets"`
	Seed      int                        `json:"seed"`
	TimeoutMs float64                    `json:"timeout_ms"`
	Frontend  int                        `json:"frontend"`
	Backend   int                        `json:"backend"`
}

func (r request) timeout() time.Duration {
	return time.Duration(r.TimeoutMs * float64(time.Millisecond))
}

type fields map[string]any

// The two kinds of error that are not "failed".
var errUnsupported, errTimeout = errors.New("unsupported"), errors.New("timeout")

func answer(r request) fields {
	operation, found := operations[r.Op]
	if !found {
		return fields{"id": r.ID, "error": fields{"kind": "unsupported", "detail": r.Op}}
	}
	ok, err := operation(r)
	if err == nil {
		if ok == nil {
			ok = fields{}
		}
		return fields{"id": r.ID, "ok": ok}
	}
	kind := "failed"
	for _, other := range []error{errUnsupported, errTimeout} {
		if errors.Is(err, other) {
			kind = other.Error()
		}
	}
	return fields{"id": r.ID, "error": fields{"kind": kind, "detail": err.Error()}}
}

func hello(request) (fields, error) {
	version := "unknown"
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, module := range info.Deps {
			if module.Path == "github.com/go-zeromq/zmq4" {
				version = module.Version
			}
		}
	}
	return fields{
		"peer": "go-zeromq", "library": "go-zeromq/zmq4", "version": version, "language": "Go", "control": "1",
	}, nil
}

func main() {
	// A connection that the library has refused is closed by the garbage collector, whenever that may be. So that what
	// is seen does not depend on it, it works only while no socket is open.
	debug.SetGCPercent(-1)
	in, out := bufio.NewReader(os.Stdin), json.NewEncoder(os.Stdout)
	for {
		line, err := in.ReadBytes('\n')
		if err == io.EOF && len(line) == 0 {
			break
		}
		var r request
		if err == nil {
			err = json.Unmarshal(line, &r)
		}
		if err == nil {
			err = out.Encode(answer(r))
		}
		if err != nil {
			log.Fatal(fmt.Errorf("no answer to %q: %w", line, err))
		}
	}
	for number := range sockets {
		closeSocket(request{Socket: number})
	}
}
