package main

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"time"

	zmq "github.com/pebbe/zmq4"
)

const again = zmq.Errno(syscall.EAGAIN)

type socket struct {
	*zmq.Socket
	kind     string
	watch    *zmq.Socket
	proxied  *proxied
	isServed bool // false where a proxy has it
}

type proxied struct {
	control *zmq.Socket
	done    chan struct{}
}

var (
	sockets    = map[int]*socket{}
	opened     int
	served     = newDescriptors() // of all sockets that are served
	everything = newDescriptors() // these and standard input
	types      = map[string]zmq.Type{
		"PAIR": zmq.PAIR, "PUB": zmq.PUB, "SUB": zmq.SUB, "REQ": zmq.REQ, "REP": zmq.REP, "DEALER": zmq.DEALER,
		"ROUTER": zmq.ROUTER, "PULL": zmq.PULL, "PUSH": zmq.PUSH, "XPUB": zmq.XPUB, "XSUB": zmq.XSUB,
	}
	setters = map[string]func(*socket, json.RawMessage) error{
		"identity":              setIdentity,
		"send-hwm":              number((*zmq.Socket).SetSndhwm),
		"receive-hwm":           number((*zmq.Socket).SetRcvhwm),
		"linger-ms":             duration((*zmq.Socket).SetLinger),
		"mandatory":             flag((*zmq.Socket).SetRouterMandatory),
		"handover":              value((*zmq.Socket).SetRouterHandover),
		"heartbeat-interval-ms": duration((*zmq.Socket).SetHeartbeatIvl),
		"heartbeat-timeout-ms":  duration((*zmq.Socket).SetHeartbeatTimeout),
		"heartbeat-ttl-ms":      duration((*zmq.Socket).SetHeartbeatTtl),
		"max-message-octets":    value((*zmq.Socket).SetMaxmsgsize),
		"handshake-interval-ms": duration((*zmq.Socket).SetHandshakeIvl),
		"conflate":              value((*zmq.Socket).SetConflate),
		"immediate":             value((*zmq.Socket).SetImmediate),
		"reconnect-interval-ms": duration((*zmq.Socket).SetReconnectIvl),
		"xpub-verbose":          flag((*zmq.Socket).SetXpubVerbose),
		"probe-router":          flag((*zmq.Socket).SetProbeRouter),
		"req-relaxed":           flag((*zmq.Socket).SetReqRelaxed),
		"req-correlate":         flag((*zmq.Socket).SetReqCorrelate),
	}
	// The binding has no others.
	getters = map[string]func(*socket) (any, error){
		"identity":              func(s *socket) (any, error) { id, err := s.GetIdentity(); return octets(id), err },
		"send-hwm":              func(s *socket) (any, error) { return s.GetSndhwm() },
		"receive-hwm":           func(s *socket) (any, error) { return s.GetRcvhwm() },
		"linger-ms":             func(s *socket) (any, error) { return inMs(s.GetLinger()) },
		"max-message-octets":    func(s *socket) (any, error) { return s.GetMaxmsgsize() },
		"handshake-interval-ms": func(s *socket) (any, error) { return inMs(s.GetHandshakeIvl()) },
		"immediate":             func(s *socket) (any, error) { return s.GetImmediate() },
		"reconnect-interval-ms": func(s *socket) (any, error) { return inMs(s.GetReconnectIvl()) },
	}
	operations = map[string]func(request) (fields, error){
		"hello": hello, "open": open, "drain": on(drain), "flood": on(flood), "get": on(get),
		"close":      on(func(s *socket, r request) (fields, error) { return nil, closeSocket(s, r.Socket) }),
		"set":        on(func(s *socket, r request) (fields, error) { return nil, set(s, r.Option, r.Value) }),
		"bind":       on(bind),
		"connect":    on(connect),
		"unbind":     on(func(s *socket, r request) (fields, error) { return nil, s.Unbind(r.Endpoint) }),
		"disconnect": on(func(s *socket, r request) (fields, error) { return nil, s.Disconnect(r.Endpoint) }),
		"subscribe":  on(subscribe),
		"cancel":     on(subscribe),
		"send":       on(send),
		"recv":       on(receive),
		"poll":       poll,
		"proxy":      proxy,
		"monitor":    on(monitor),
	}
)

func setIdentity(s *socket, raw json.RawMessage) error {
	var id octets
	if err := json.Unmarshal(raw, &id); err != nil {
		return err
	}
	return s.SetIdentity(string(id))
}

// value makes a setter of the binding take what stands in JSON.
func value[T any](set func(*zmq.Socket, T) error) func(*socket, json.RawMessage) error {
	return func(s *socket, raw json.RawMessage) error {
		var v T
		if err := json.Unmarshal(raw, &v); err != nil {
			return err
		}
		return set(s.Socket, v)
	}
}

func number(set func(*zmq.Socket, int) error) func(*socket, json.RawMessage) error { return value(set) }

func duration(set func(*zmq.Socket, time.Duration) error) func(*socket, json.RawMessage) error {
	return value(func(s *zmq.Socket, ms int) error {
		if ms < 0 {
			return set(s, -1)
		}
		return set(s, time.Duration(ms)*time.Millisecond)
	})
}

func flag(set func(*zmq.Socket, int) error) func(*socket, json.RawMessage) error {
	return value(func(s *zmq.Socket, on bool) error {
		if on {
			return set(s, 1)
		}
		return set(s, 0)
	})
}

func inMs(d time.Duration, err error) (int, error) {
	if d == -1 {
		return -1, err
	}
	return int(d / time.Millisecond), err
}

// descriptors are waited for with epoll: libzmq's poll tells of messages, and not of other work that there is.
type descriptors int

func newDescriptors() descriptors {
	epoll, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		panic(err)
	}
	return descriptors(epoll)
}

func (d descriptors) add(fd int) {
	event := syscall.EpollEvent{Events: syscall.EPOLLIN, Fd: int32(fd)}
	if err := syscall.EpollCtl(int(d), syscall.EPOLL_CTL_ADD, fd, &event); err != nil {
		panic(err)
	}
}

func (d descriptors) remove(fd int) {
	syscall.EpollCtl(int(d), syscall.EPOLL_CTL_DEL, fd, nil)
}

// wait until one of the descriptors is readable; whether `wanted` is.
func (d descriptors) wait(timeout time.Duration, wanted int32) bool {
	ms := -1
	if timeout >= 0 {
		ms = int(timeout/time.Millisecond) + 1
	}
	events := make([]syscall.EpollEvent, 4)
	count, _ := syscall.EpollWait(int(d), events, ms)
	for _, event := range events[:max(count, 0)] {
		if event.Fd == wanted {
			return true
		}
	}
	return false
}

// touch lets libzmq work: its descriptors tell of news once, until EVENTS is read.
func touch() {
	for _, s := range sockets {
		if s.isServed {
			s.GetEvents()
		}
	}
}

// patiently does it as soon as it is not refused for now; all sockets are served meanwhile.
func patiently(act func() error, timeout time.Duration) error {
	end := time.Now().Add(timeout)
	for {
		if err := act(); err != again {
			return err
		}
		touch()
		if err := act(); err != again || !time.Now().Before(end) {
			return err
		}
		served.wait(max(time.Until(end), 0), -1)
	}
}

func find(number int) (*socket, error) {
	if s, found := sockets[number]; found {
		return s, nil
	}
	return nil, fmt.Errorf("no socket %d", number)
}

func on(act func(*socket, request) (fields, error)) func(request) (fields, error) {
	return func(r request) (fields, error) {
		s, err := find(r.Socket)
		if err != nil {
			return nil, err
		}
		return act(s, r)
	}
}

func open(r request) (fields, error) {
	kind, found := types[r.Type]
	if !found {
		return nil, fmt.Errorf("%w: %s", errUnsupported, r.Type)
	}
	made, err := zmq.NewSocket(kind)
	if err != nil {
		return nil, err
	}
	opened++
	s := &socket{Socket: made, kind: r.Type, isServed: true}
	sockets[opened] = s
	fd, err := s.GetFd()
	if err == nil {
		served.add(fd)
		err = s.SetLinger(0)
	}
	for option, value := range r.Options {
		if err == nil {
			err = set(s, option, value)
		}
	}
	if err != nil {
		closeSocket(s, opened)
		return nil, err
	}
	return fields{"socket": opened}, nil
}

func (s *socket) leave() {
	if fd, err := s.GetFd(); err == nil && s.isServed {
		served.remove(fd)
	}
	s.isServed = false
}

func closeSocket(s *socket, name int) error {
	delete(sockets, name)
	if p := s.proxied; p != nil {
		p.control.Send("TERMINATE", 0)
		<-p.done
		p.control.Close()
		for _, other := range sockets {
			if other.proxied == p {
				other.proxied = nil
			}
		}
	}
	if s.watch != nil {
		s.Monitor("", 0)
		s.watch.Close()
	}
	s.leave()
	return s.Close()
}

func set(s *socket, option string, raw json.RawMessage) error {
	setter, found := setters[option]
	if !found {
		return fmt.Errorf("%w: %s", errUnsupported, option)
	}
	return setter(s, raw)
}

func get(s *socket, r request) (fields, error) {
	getter, found := getters[r.Option]
	if !found {
		return nil, fmt.Errorf("%w: %s", errUnsupported, r.Option)
	}
	value, err := getter(s)
	return fields{"value": value}, err
}

func bind(s *socket, r request) (fields, error) {
	err := s.SetIpv6(strings.Contains(r.Endpoint, "["))
	if err == nil {
		err = s.Bind(r.Endpoint)
	}
	if err != nil {
		return nil, err
	}
	endpoint, err := s.GetLastEndpoint()
	return fields{"endpoint": endpoint}, err
}

func connect(s *socket, r request) (fields, error) {
	err := s.SetIpv6(strings.Contains(r.Endpoint, "["))
	if err == nil {
		err = s.Connect(r.Endpoint)
	}
	return fields{"endpoint": r.Endpoint}, err
}

func subscribe(s *socket, r request) (fields, error) {
	start := r.Op == "subscribe"
	switch {
	case s.kind == "XSUB" && start:
		_, err := s.SendBytes(append([]byte{1}, r.Prefix...), zmq.DONTWAIT)
		return nil, err
	case s.kind == "XSUB":
		_, err := s.SendBytes(append([]byte{0}, r.Prefix...), zmq.DONTWAIT)
		return nil, err
	case start:
		return nil, s.SetSubscribe(string(r.Prefix))
	}
	return nil, s.SetUnsubscribe(string(r.Prefix))
}

// send hands over a whole message or, where its first part is refused, nothing.
func (s *socket) send(parts []octets, timeout time.Duration) (string, error) {
	frames := make([][]byte, len(parts))
	for i, part := range parts {
		frames[i] = part
	}
	err := patiently(func() error {
		_, err := s.SendMessageDontwait(frames)
		return err
	}, timeout)
	switch err {
	case nil:
		return "accepted", nil
	case again:
		return "would-block", nil
	case zmq.Errno(syscall.EHOSTUNREACH):
		return "unroutable", nil
	case zmq.EFSM, zmq.Errno(syscall.ENOTSUP):
		return "refused", nil
	}
	return "", err
}

func send(s *socket, r request) (fields, error) {
	outcome, err := s.send(r.Parts, r.timeout())
	return fields{"outcome": outcome}, err
}

func (s *socket) receive(timeout time.Duration) (parts []octets, err error) {
	err = patiently(func() error {
		frames, err := s.RecvMessageBytes(zmq.DONTWAIT)
		for _, frame := range frames {
			parts = append(parts, frame)
		}
		return err
	}, timeout)
	return parts, err
}

func receive(s *socket, r request) (fields, error) {
	parts, err := s.receive(r.timeout())
	return fields{"parts": parts}, err
}

func poll(r request) (fields, error) {
	readable := []int{}
	err := patiently(func() error {
		for _, number := range r.Sockets {
			s, err := find(number)
			if err != nil {
				return err
			}
			events, err := s.GetEvents()
			if err != nil {
				return err
			}
			if events&zmq.POLLIN != 0 {
				readable = append(readable, number)
			}
		}
		if len(readable) == 0 {
			return again
		}
		return nil
	}, r.timeout())
	if errors.Is(err, again) {
		err = nil
	}
	return fields{"readable": readable}, err
}

func flood(s *socket, r request) (fields, error) {
	end := time.Now().Add(r.timeout())
	for index := range r.Count {
		body := make(octets, r.Size)
		for j := range body {
			body[j] = byte(r.Seed + index + j)
		}
		binary.BigEndian.PutUint64(body, uint64(index))
		outcome, err := s.send(append(append([]octets{}, r.Head...), body), time.Until(end))
		if err != nil || outcome != "accepted" {
			return fields{"accepted": index}, err
		}
	}
	return fields{"accepted": r.Count}, nil
}

func drain(s *socket, r request) (fields, error) {
	end, digest, seen := time.Now().Add(r.timeout()), sha256.New(), []any{}
	for len(seen) < r.Count {
		parts, err := s.receive(time.Until(end))
		if err != nil {
			break
		}
		body := parts[len(parts)-1]
		digest.Write(binary.BigEndian.AppendUint64(nil, uint64(len(body))))
		digest.Write(body)
		var index any
		if len(body) >= 8 {
			index = binary.BigEndian.Uint64(body)
		}
		seen = append(seen, index)
	}
	ok := fields{"received": len(seen), "digest": hex.EncodeToString(digest.Sum(nil)), "first": nil, "last": nil}
	if len(seen) > 0 {
		ok["first"], ok["last"] = seen[0], seen[len(seen)-1]
	}
	return ok, nil
}

// proxy is libzmq's own, in a goroutine that has the two sockets until one is closed.
func proxy(r request) (fields, error) {
	front, err := find(r.Frontend)
	if err != nil {
		return nil, err
	}
	back, err := find(r.Backend)
	if err != nil {
		return nil, err
	}
	endpoint := fmt.Sprintf("inproc://proxy-%d", r.Frontend)
	inside, control, err := pair(endpoint)
	if err != nil {
		return nil, err
	}
	p := &proxied{control, make(chan struct{})}
	for _, s := range []*socket{front, back} {
		s.leave()
		s.proxied = p
	}
	go func() {
		zmq.ProxySteerable(front.Socket, back.Socket, nil, inside)
		inside.Close()
		close(p.done)
	}()
	return nil, nil
}

func pair(endpoint string) (bound, connected *zmq.Socket, err error) {
	if bound, err = zmq.NewSocket(zmq.PAIR); err != nil {
		return nil, nil, err
	}
	if connected, err = zmq.NewSocket(zmq.PAIR); err != nil {
		return nil, nil, err
	}
	if err = bound.Bind(endpoint); err == nil {
		err = connected.Connect(endpoint)
	}
	return bound, connected, err
}

func monitor(s *socket, r request) (fields, error) {
	if s.watch == nil {
		endpoint := fmt.Sprintf("inproc://monitor-%d", r.Socket)
		watch, err := zmq.NewSocket(zmq.PAIR)
		if err == nil {
			err = s.Monitor(endpoint, zmq.EVENT_ALL)
		}
		if err == nil {
			err = watch.Connect(endpoint)
		}
		if err != nil {
			return nil, err
		}
		s.watch = watch
	}
	events := []fields{}
	for {
		event, endpoint, value, err := s.watch.RecvEvent(zmq.DONTWAIT)
		if err == again {
			return fields{"events": events}, nil
		}
		if err != nil {
			return nil, err
		}
		name := strings.ReplaceAll(strings.ToLower(strings.TrimPrefix(event.String(), "EVENT_")), "_", "-")
		events = append(events, fields{"event": name, "endpoint": endpoint, "value": value})
	}
}
