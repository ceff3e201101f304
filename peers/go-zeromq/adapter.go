package main

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log"
	"runtime"
	"strings"
	"time"

	"github.com/go-zeromq/zmq4"
)

// The library's calls wait, without a timeout of their own (the one of a socket is fixed when it is made), so they
// are made in goroutines. This is how long one may take that is asked not to wait.
const (
	sendGrace    = 100 * time.Millisecond
	receiveGrace = 20 * time.Millisecond
)

type socket struct {
	zmq4.Socket
	cancel   context.CancelFunc
	sending  chan struct{} // full while a Send has not come back: it cannot be given up
	waiting  bool          // a Recv has not come back: neither can that
	received chan result   // what it comes back with
	held     *result       // what it came back with, and nobody has taken
	proxy    *zmq4.Proxy
}

type result struct {
	msg zmq4.Msg
	err error
}

var (
	sockets = map[int]*socket{}
	opened  int
	types   = map[string]func(context.Context, ...zmq4.Option) zmq4.Socket{
		"PAIR": zmq4.NewPair, "PUB": zmq4.NewPub, "SUB": zmq4.NewSub, "REQ": zmq4.NewReq, "REP": zmq4.NewRep,
		"DEALER": zmq4.NewDealer, "ROUTER": zmq4.NewRouter, "PULL": zmq4.NewPull, "PUSH": zmq4.NewPush,
		"XPUB": zmq4.NewXPub, "XSUB": zmq4.NewXSub,
	}
	operations = map[string]func(request) (fields, error){
		"hello": hello, "open": open, "close": closeSocket, "set": noOption, "get": noOption, "bind": bind,
		"connect": connect, "subscribe": subscribe, "cancel": subscribe, "send": send, "recv": receive,
		"poll": poll, "flood": flood, "drain": drain, "proxy": proxy,
	}
)

func find(number int) (*socket, error) {
	if s, found := sockets[number]; found {
		return s, nil
	}
	return nil, fmt.Errorf("no socket %d", number)
}

func noOption(r request) (fields, error) {
	return nil, fmt.Errorf("%w: the library has options of a socket that is being made only", errUnsupported)
}

func open(r request) (fields, error) {
	create, found := types[r.Type]
	if !found {
		return nil, fmt.Errorf("%w: %s", errUnsupported, r.Type)
	}
	options := []zmq4.Option{zmq4.WithDialerMaxRetries(-1)}
	for name, value := range r.Options {
		var id octets
		var milliseconds int
		var err error
		switch name {
		case "identity":
			err = json.Unmarshal(value, &id)
			options = append(options, zmq4.WithID(zmq4.SocketIdentity(id)))
		case "reconnect-interval-ms":
			err = json.Unmarshal(value, &milliseconds)
			retry := time.Duration(milliseconds) * time.Millisecond
			options = append(options, zmq4.WithDialerRetry(retry), zmq4.WithAutomaticReconnect(true))
		case "linger-ms":
			err = json.Unmarshal(value, &milliseconds)
			if err == nil && milliseconds != 0 {
				err = fmt.Errorf("%w: %s", errUnsupported, name)
			}
		default:
			err = fmt.Errorf("%w: %s", errUnsupported, name)
		}
		if err != nil {
			return nil, err
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	opened++
	sockets[opened] = &socket{
		Socket: create(ctx, options...), cancel: cancel, sending: make(chan struct{}, 1),
		received: make(chan result, 1),
	}
	return fields{"socket": opened}, nil
}

func closeSocket(r request) (fields, error) {
	s, err := find(r.Socket)
	if err != nil {
		return nil, err
	}
	delete(sockets, r.Socket)
	if s.proxy != nil {
		s.proxy.Kill()
		for _, other := range sockets {
			if other.proxy == s.proxy {
				other.proxy = nil
			}
		}
	}
	s.Close()
	s.cancel()
	if len(sockets) == 0 {
		runtime.GC()
	}
	return nil, nil
}

func bind(r request) (fields, error) {
	s, err := find(r.Socket)
	if err != nil {
		return nil, err
	}
	if err := s.Listen(r.Endpoint); err != nil {
		return nil, err
	}
	// The goroutine that accepts looks up its listener when it first runs: the next Listen may have replaced it.
	time.Sleep(5 * time.Millisecond)
	return fields{"endpoint": strings.Split(r.Endpoint, "://")[0] + "://" + s.Addr().String()}, nil
}

// Dial returns after the handshake.
func connect(r request) (fields, error) {
	s, err := find(r.Socket)
	if err != nil {
		return nil, err
	}
	go func() {
		if err := s.Dial(r.Endpoint); err != nil {
			log.Print(err)
		}
	}()
	return fields{"endpoint": r.Endpoint}, nil
}

func subscribe(r request) (fields, error) {
	s, err := find(r.Socket)
	if err != nil {
		return nil, err
	}
	start := r.Op == "subscribe"
	if s.Type() != zmq4.XSub {
		option := map[bool]string{true: zmq4.OptionSubscribe, false: zmq4.OptionUnsubscribe}[start]
		return nil, s.SetOption(option, string(r.Prefix))
	}
	mark := map[bool]byte{true: 1, false: 0}[start]
	_, err = s.send([]octets{append(octets{mark}, r.Prefix...)}, 0)
	return nil, err
}

func message(parts []octets) zmq4.Msg {
	frames := make([][]byte, len(parts))
	for i, part := range parts {
		frames[i] = part
	}
	return zmq4.NewMsgFrom(frames...)
}

// send says would-block where Send does not come back in time. What it was given then goes out when it can. REQ does
// not wait for a connection, but says that there is none: as long as there is time it is asked again.
func (s *socket) send(parts []octets, timeout time.Duration) (string, error) {
	timeout = max(timeout, sendGrace)
	end, timer := time.Now().Add(timeout-sendGrace/2), time.After(timeout)
	select {
	case s.sending <- struct{}{}:
	case <-timer:
		return "would-block", nil
	}
	done := make(chan error, 1)
	go func() {
		err := s.SendMulti(message(parts))
		for err != nil && s.Type() == zmq4.Req && time.Now().Before(end) {
			time.Sleep(time.Millisecond)
			err = s.SendMulti(message(parts))
		}
		<-s.sending
		done <- err
	}()
	select {
	case <-timer:
		return "would-block", nil
	case err := <-done:
		switch {
		case err == nil:
			return "accepted", nil
		case s.Type() == zmq4.Pull:
			return "refused", nil
		case s.Type() == zmq4.Req:
			return "would-block", nil
		}
		return "", err
	}
}

func send(r request) (fields, error) {
	s, err := find(r.Socket)
	if err != nil {
		return nil, err
	}
	outcome, err := s.send(r.Parts, r.timeout())
	return fields{"outcome": outcome}, err
}

// listen lets a message come in, and tells whether there is something to take.
func (s *socket) listen(timer <-chan time.Time) bool {
	if s.held == nil && !s.waiting {
		s.waiting = true
		go s.receive()
	}
	if s.held == nil {
		select {
		case r := <-s.received:
			s.held, s.waiting = &r, false
		case <-timer:
		}
	}
	return s.held != nil
}

// receive comes back with a message, or the refusal of a type that cannot receive or not now. Other errors tell of
// the end of one connection, as the others go on.
func (s *socket) receive() {
	for {
		msg, err := s.Recv()
		refused := s.Type() == zmq4.Pub || s.Type() == zmq4.Push || s.Type() == zmq4.Req
		if err == nil || refused || strings.Contains(err.Error(), context.Canceled.Error()) {
			s.received <- result{msg, err}
			return
		}
		log.Print(err)
	}
}

// take is the next message, or an error that is errTimeout if there is none in time. A refusal that was meant for an
// earlier call is not told.
func (s *socket) take(timeout time.Duration) (zmq4.Msg, error) {
	timer, earlier := time.After(max(timeout, receiveGrace)), s.waiting
	for s.listen(timer) {
		r := s.held
		s.held = nil
		if r.err == nil || !earlier {
			return r.msg, r.err
		}
		earlier = false
	}
	return zmq4.Msg{}, errTimeout
}

func receive(r request) (fields, error) {
	s, err := find(r.Socket)
	if err != nil {
		return nil, err
	}
	msg, err := s.take(r.timeout())
	if err != nil {
		return nil, err
	}
	parts := make([]octets, len(msg.Frames))
	for i, frame := range msg.Frames {
		parts[i] = frame
	}
	return fields{"parts": parts}, nil
}

func poll(r request) (fields, error) {
	end, readable := time.Now().Add(max(r.timeout(), receiveGrace)), []int{}
	for {
		for _, number := range r.Sockets {
			s, err := find(number)
			if err != nil {
				return nil, err
			}
			switch {
			case !s.listen(time.After(0)):
			case s.held.err != nil:
				s.held = nil
			default:
				readable = append(readable, number)
			}
		}
		if len(readable) > 0 || time.Now().After(end) {
			return fields{"readable": readable}, nil
		}
		time.Sleep(time.Millisecond)
	}
}

func flood(r request) (fields, error) {
	s, err := find(r.Socket)
	if err != nil {
		return nil, err
	}
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

func drain(r request) (fields, error) {
	s, err := find(r.Socket)
	if err != nil {
		return nil, err
	}
	end, digest, seen := time.Now().Add(r.timeout()), sha256.New(), []any{}
	for len(seen) < r.Count {
		msg, err := s.take(time.Until(end))
		if err != nil {
			break
		}
		body := msg.Frames[len(msg.Frames)-1]
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

// proxy is the library's own.
func proxy(r request) (fields, error) {
	front, err := find(r.Frontend)
	if err != nil {
		return nil, err
	}
	back, err := find(r.Backend)
	if err != nil {
		return nil, err
	}
	front.proxy = zmq4.NewProxy(context.Background(), front.Socket, back.Socket, nil)
	back.proxy = front.proxy
	go front.proxy.Run()
	return nil, nil
}
