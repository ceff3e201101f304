//! What the control protocol asks, done with libzmq by way of the crate `zmq`.
//!
//! libzmq works only inside its calls, so whoever waits polls the descriptors of all sockets and reads their events.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::{Duration, Instant};

use zmq::{Error, PollEvents, PollItem, DONTWAIT, POLLIN, POLLOUT};

pub const NAME: &str = "libzmq";
const FORWARDED_AT_ONCE: usize = 1000;
const EVENTS: [&str; 15] = [
    "connected", "connect-delayed", "connect-retried", "listening", "bind-failed", "accepted", "accept-failed",
    "closed", "close-failed", "disconnected", "monitor-stopped", "handshake-failed-no-detail", "handshake-succeeded",
    "handshake-failed-protocol", "handshake-failed-auth",
];
const ALL_EVENTS: i32 = (1 << EVENTS.len()) - 1;

thread_local! {
    static CONTEXT: zmq::Context = zmq::Context::new();
    static OPEN: RefCell<Vec<Rc<zmq::Socket>>> = const { RefCell::new(Vec::new()) };
    static PROXIES: RefCell<Vec<[Rc<zmq::Socket>; 2]>> = const { RefCell::new(Vec::new()) };
}

pub fn version() -> String {
    let (major, minor, patch) = zmq::version();
    format!("{major}.{minor}.{patch} (zmq 0.10.0)")
}

pub enum Failure {
    /// The library has no such operation, socket type or option.
    Unsupported(String),
    /// What was waited for did not happen in time.
    Timeout,
    /// The library refused or failed, in its own words.
    Failed(String),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::EAGAIN => Failure::Timeout,
            other => Failure::Failed(other.message().into()),
        }
    }
}

/// An option's value; an identity is octets.
pub enum Value {
    Number(i64),
    Flag(bool),
    Octets(Vec<u8>),
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Accepted,
    /// Not taken in time.
    WouldBlock,
    /// The library says that there is no way to the receiver.
    Unroutable,
    /// This type cannot send, or not in its present state.
    Refused,
}

impl Outcome {
    pub fn word(self) -> &'static str {
        match self {
            Outcome::Accepted => "accepted",
            Outcome::WouldBlock => "would-block",
            Outcome::Unroutable => "unroutable",
            Outcome::Refused => "refused",
        }
    }
}

fn unsupported<T>(what: &str) -> Result<T, Failure> {
    Err(Failure::Unsupported(what.into()))
}

/// Let libzmq work, and the proxies; whether there may be more to forward at once. A descriptor tells of news once,
/// until the events are read.
fn serve() -> bool {
    OPEN.with_borrow(|open| open.iter().for_each(|socket| {
        let _ = socket.get_events();
    }));
    let forward = |[front, back]: &[Rc<zmq::Socket>; 2]| forwarded(front, back) | forwarded(back, front);
    PROXIES.with_borrow(|proxies| proxies.iter().filter(|pair| forward(pair)).count() > 0)
}

fn forwarded(from: &zmq::Socket, to: &zmq::Socket) -> bool {
    let ready = |socket: &zmq::Socket, event| socket.get_events().is_ok_and(|events| events.contains(event));
    for count in 0..FORWARDED_AT_ONCE {
        if !ready(from, POLLIN) || !ready(to, POLLOUT) {
            return count > 0;
        }
        let sent = from.recv_multipart(DONTWAIT).and_then(|parts| to.send_multipart(parts, DONTWAIT));
        if sent.is_err() {
            return false;
        }
    }
    true
}

/// Wait until a socket has news or (where asked for) standard input is readable; whether the latter.
fn news(input: bool, timeout_ms: i64) -> bool {
    OPEN.with_borrow(|open| {
        let descriptors = open.iter().filter_map(|socket| socket.get_fd().ok());
        let mut items: Vec<PollItem> = descriptors.map(|fd| PollItem::from_fd(fd, POLLIN)).collect();
        if input {
            items.push(PollItem::from_fd(0, POLLIN));
        }
        let polled = zmq::poll(&mut items, timeout_ms).is_ok();
        polled && input && items.last().is_some_and(|item| !item.get_revents().is_empty())
    })
}

/// Called before each request is read; returns once standard input is readable.
pub fn wait(_sockets: &BTreeMap<u64, Socket>) {
    while !news(true, if serve() { 0 } else { -1 }) {}
}

/// Do `act` as soon as it does not say EAGAIN; all sockets are served meanwhile.
fn patiently<T>(timeout: Duration, mut act: impl FnMut() -> Result<T, Error>) -> Result<T, Error> {
    let end = Instant::now() + timeout;
    loop {
        match act() {
            Err(Error::EAGAIN) => (),
            done => return done,
        }
        let busy = serve();
        let left = end.saturating_duration_since(Instant::now());
        match act() {
            Err(Error::EAGAIN) if !left.is_zero() => (),
            done => return done,
        }
        news(false, if busy { 0 } else { left.as_millis() as i64 + 1 });
    }
}

pub struct Socket {
    socket: Rc<zmq::Socket>,
    xsub: bool,
    watch: Option<zmq::Socket>,
}

fn type_of(name: &str) -> Result<zmq::SocketType, Failure> {
    Ok(match name {
        "PAIR" => zmq::PAIR,
        "PUB" => zmq::PUB,
        "SUB" => zmq::SUB,
        "REQ" => zmq::REQ,
        "REP" => zmq::REP,
        "DEALER" => zmq::DEALER,
        "ROUTER" => zmq::ROUTER,
        "PULL" => zmq::PULL,
        "PUSH" => zmq::PUSH,
        "XPUB" => zmq::XPUB,
        "XSUB" => zmq::XSUB,
        _ => return unsupported(name),
    })
}

impl Socket {
    pub fn open(socket_type: &str, options: &[(String, Value)]) -> Result<Socket, Failure> {
        let kind = type_of(socket_type)?;
        let socket = Rc::new(CONTEXT.with(|context| context.socket(kind))?);
        socket.set_linger(0)?;
        let mut made = Socket { socket, xsub: kind == zmq::XSUB, watch: None };
        for (option, value) in options {
            made.set(option, value)?;
        }
        OPEN.with_borrow_mut(|open| open.push(made.socket.clone()));
        Ok(made)
    }

    pub fn close(self) -> Result<(), Failure> {
        let is_other = |socket: &Rc<zmq::Socket>| !Rc::ptr_eq(socket, &self.socket);
        PROXIES.with_borrow_mut(|proxies| proxies.retain(|pair| pair.iter().all(is_other)));
        OPEN.with_borrow_mut(|open| open.retain(is_other));
        Ok(()) // the last reference goes with self
    }

    pub fn set(&mut self, option: &str, value: &Value) -> Result<(), Failure> {
        let socket = &self.socket;
        Ok(match (option, value) {
            ("identity", Value::Octets(octets)) => socket.set_identity(octets),
            ("mandatory", Value::Flag(flag)) => socket.set_router_mandatory(*flag),
            ("handover", Value::Flag(flag)) => socket.set_router_handover(*flag),
            ("conflate", Value::Flag(flag)) => socket.set_conflate(*flag),
            ("immediate", Value::Flag(flag)) => socket.set_immediate(*flag),
            ("probe-router", Value::Flag(flag)) => socket.set_probe_router(*flag),
            ("req-relaxed", Value::Flag(flag)) => socket.set_req_relaxed(*flag),
            ("req-correlate", Value::Flag(flag)) => socket.set_req_correlate(*flag),
            ("max-message-octets", Value::Number(number)) => socket.set_maxmsgsize(*number),
            ("send-hwm", Value::Number(number)) => socket.set_sndhwm(*number as i32),
            ("receive-hwm", Value::Number(number)) => socket.set_rcvhwm(*number as i32),
            ("linger-ms", Value::Number(number)) => socket.set_linger(*number as i32),
            ("heartbeat-interval-ms", Value::Number(number)) => socket.set_heartbeat_ivl(*number as i32),
            ("heartbeat-timeout-ms", Value::Number(number)) => socket.set_heartbeat_timeout(*number as i32),
            ("heartbeat-ttl-ms", Value::Number(number)) => socket.set_heartbeat_ttl(*number as i32),
            ("handshake-interval-ms", Value::Number(number)) => socket.set_handshake_ivl(*number as i32),
            ("reconnect-interval-ms", Value::Number(number)) => socket.set_reconnect_ivl(*number as i32),
            _ => return unsupported(option),
        }?)
    }

    pub fn get(&mut self, option: &str) -> Result<Value, Failure> {
        let (socket, number) = (&self.socket, |number: i32| Value::Number(number.into()));
        Ok(match option {
            "identity" => Value::Octets(socket.get_identity()?),
            "mandatory" => Value::Flag(socket.is_router_mandatory()?),
            "handover" => Value::Flag(socket.is_router_handover()?),
            "conflate" => Value::Flag(socket.is_conflate()?),
            "immediate" => Value::Flag(socket.is_immediate()?),
            "probe-router" => Value::Flag(socket.is_probe_router()?),
            "max-message-octets" => Value::Number(socket.get_maxmsgsize()?),
            "send-hwm" => number(socket.get_sndhwm()?),
            "receive-hwm" => number(socket.get_rcvhwm()?),
            "linger-ms" => number(socket.get_linger()?),
            "heartbeat-interval-ms" => number(socket.get_heartbeat_ivl()?),
            "heartbeat-timeout-ms" => number(socket.get_heartbeat_timeout()?),
            "heartbeat-ttl-ms" => number(socket.get_heartbeat_ttl()?),
            "handshake-interval-ms" => number(socket.get_handshake_ivl()?),
            "reconnect-interval-ms" => number(socket.get_reconnect_ivl()?),
            _ => return unsupported(option),
        })
    }

    pub fn bind(&mut self, endpoint: &str) -> Result<String, Failure> {
        self.socket.set_ipv6(endpoint.contains('['))?;
        self.socket.bind(endpoint)?;
        self.socket.get_last_endpoint()?.map_err(|_| Failure::Failed("an endpoint that is not UTF-8".into()))
    }

    pub fn connect(&mut self, endpoint: &str) -> Result<(), Failure> {
        self.socket.set_ipv6(endpoint.contains('['))?;
        Ok(self.socket.connect(endpoint)?)
    }

    pub fn unbind(&mut self, endpoint: &str) -> Result<(), Failure> {
        Ok(self.socket.unbind(endpoint)?)
    }

    pub fn disconnect(&mut self, endpoint: &str) -> Result<(), Failure> {
        Ok(self.socket.disconnect(endpoint)?)
    }

    pub fn subscribe(&mut self, prefix: &[u8]) -> Result<(), Failure> {
        if self.xsub {
            return Ok(self.socket.send([&[1], prefix].concat(), DONTWAIT)?);
        }
        Ok(self.socket.set_subscribe(prefix)?)
    }

    pub fn cancel(&mut self, prefix: &[u8]) -> Result<(), Failure> {
        if self.xsub {
            return Ok(self.socket.send([&[0], prefix].concat(), DONTWAIT)?);
        }
        Ok(self.socket.set_unsubscribe(prefix)?)
    }

    /// libzmq takes a whole message or, at its first part, none of it.
    pub fn send(&mut self, parts: &[Vec<u8>], timeout: Duration) -> Result<Outcome, Failure> {
        match patiently(timeout, || self.socket.send_multipart(parts, DONTWAIT)) {
            Ok(()) => Ok(Outcome::Accepted),
            Err(Error::EAGAIN) => Ok(Outcome::WouldBlock),
            Err(Error::EHOSTUNREACH) => Ok(Outcome::Unroutable),
            Err(Error::EFSM | Error::ENOTSUP) => Ok(Outcome::Refused),
            Err(error) => Err(error.into()),
        }
    }

    pub fn receive(&mut self, timeout: Duration) -> Result<Vec<Vec<u8>>, Failure> {
        Ok(patiently(timeout, || self.socket.recv_multipart(DONTWAIT))?)
    }

    pub fn monitor(&mut self) -> Result<Vec<(String, String)>, Failure> {
        if self.watch.is_none() {
            let endpoint = format!("inproc://monitor-{:p}", Rc::as_ptr(&self.socket));
            self.socket.monitor(&endpoint, ALL_EVENTS)?;
            let watch = CONTEXT.with(|context| context.socket(zmq::PAIR))?;
            watch.connect(&endpoint)?;
            self.watch = Some(watch);
        }
        let mut events = Vec::new();
        while let Some(Ok(parts)) = self.watch.as_ref().map(|watch| watch.recv_multipart(DONTWAIT)) {
            let bit = u16::from_ne_bytes([parts[0][0], parts[0][1]]).trailing_zeros() as usize;
            let name = EVENTS.get(bit).copied().unwrap_or("unknown");
            events.push((name.into(), String::from_utf8_lossy(&parts[1]).into_owned()));
        }
        Ok(events)
    }
}

pub fn poll(sockets: &mut [&mut Socket], timeout: Duration) -> Result<Vec<usize>, Failure> {
    let readable = |at: &usize| sockets[*at].socket.get_events().is_ok_and(|events: PollEvents| events.contains(POLLIN));
    let ready = || -> Result<Vec<usize>, Error> {
        let found: Vec<usize> = (0..sockets.len()).filter(readable).collect();
        (!found.is_empty()).then_some(found).ok_or(Error::EAGAIN)
    };
    match patiently(timeout, ready) {
        Err(Error::EAGAIN) => Ok(Vec::new()),
        done => Ok(done?),
    }
}

/// Forwarded in `serve`: libzmq's own proxy cannot be ended from outside in this binding without a third socket.
pub fn proxy(sockets: &mut BTreeMap<u64, Socket>, frontend: u64, backend: u64) -> Result<(), Failure> {
    let pair = [sockets[&frontend].socket.clone(), sockets[&backend].socket.clone()];
    PROXIES.with_borrow_mut(|proxies| proxies.push(pair));
    Ok(())
}
