// Control protocol adapter for libzmq, by way of pebbe/zmq4. It reports; it judges nothing.
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

	zmq "github.com/pebbe/zmq4"
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
	Option    string                     `json:"option"`
	Value     json.RawMessage            `json:"value"`
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

var errUnsupported = errors.New("unsupported")

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
	switch {
	case errors.Is(err, errUnsupported):
		kind = "unsupported"
	case errors.Is(err, again):
		kind = "timeout"
	}
	return fields{"id": r.ID, "error": fields{"kind": kind, "detail": err.Error()}}
}

func hello(request) (fields, error) {
	version := "unknown"
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, module := range info.Deps {
			if module.Path == "github.com/pebbe/zmq4" {
				version = module.Version
			}
		}
	}
	major, minor, patch := zmq.Version()
	version = fmt.Sprintf("%d.%d.%d (pebbe/zmq4 %s)", major, minor, patch, version)
	return fields{"peer": "pebbe-zmq4", "library": "libzmq", "version": version, "language": "Go", "control": "1"}, nil
}

func main() {
	everything.add(int(os.Stdin.Fd()))
	everything.add(int(served))
	in, out := bufio.NewReader(os.Stdin), json.NewEncoder(os.Stdout)
	for {
		touch()
		if in.Buffered() == 0 && !everything.wait(-1, 0) {
			continue
		}
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
	for number, s := range sockets {
		closeSocket(s, number)
	}
	zmq.Term()
}
