//! Control protocol adapter for zmq.rs, the crate `zeromq`. It reports; it judges nothing.
//!
//! One task does it all. zmq.rs reads from its connections only inside `recv`, so while the task waits for
//! anything it polls a `recv` of each socket that can have one, and keeps a few messages ahead of the application
//! to see what becomes of the connections behind them. There are no high-water marks that this could hide.
//! A `recv` that is dropped loses nothing, as what is read stays with the connections; only REQ's forgets the
//! request. That one, `connect`, and `send` (dropped, it would forget the connection it was at) have the socket
//! until they are done, as they have in every program: they need it mutably. Meanwhile other operations wait.

use std::collections::{BTreeMap, VecDeque};
use std::future::{poll_fn, Future};
use std::mem;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures::channel::mpsc::Receiver;
use futures::future::BoxFuture;
use serde_json::{json, Map, Value};
use sha2::{Digest, Sha256};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt};
use tokio::time::{sleep, timeout_at, Instant};
use zeromq::util::PeerIdentity;
use zeromq::{prelude::*, *};

const OPERATION: Duration = Duration::from_secs(4); // how long operations without a timeout wait for the socket
const TICK: Duration = Duration::from_millis(2); // between attempts to send without a connection
const AHEAD: usize = 16;
const REST: Duration = Duration::from_millis(10); // after an error of recv: some come again at once, for ever

enum Failure {
    Unsupported(String),
    Timeout,
    Failed(String),
}
use Failure::{Failed, Timeout, Unsupported};

impl<E: std::error::Error> From<E> for Failure {
    fn from(error: E) -> Self {
        Failed(error.to_string().replace('\n', " "))
    }
}

macro_rules! any_socket {
    ($($name:ident $type:ident),*) => {
        #[allow(clippy::upper_case_acronyms)]
        enum Any { $($name($type)),* }

        impl Any {
            fn open(name: &str, options: SocketOptions) -> Result<Self, Failure> {
                match name {
                    $(stringify!($name) => Ok(Any::$name($type::with_options(options))),)*
                    _ => Err(Unsupported(name.into())),
                }
            }
        }

        macro_rules! each {
            ($any:expr, $socket:ident => $act:expr) => { match $any { $(Any::$name($socket) => $act),* } };
        }
    };
}
any_socket!(
    PUB PubSocket, SUB SubSocket, REQ ReqSocket, REP RepSocket, DEALER DealerSocket, ROUTER RouterSocket,
    PULL PullSocket, PUSH PushSocket, XPUB XPubSocket, XSUB XSubSocket
);

impl Any {
    async fn send(&mut self, message: ZmqMessage) -> ZmqResult<()> {
        match self {
            Any::PUB(socket) => socket.send(message).await,
            Any::REQ(socket) => socket.send(message).await,
            Any::REP(socket) => socket.send(message).await,
            Any::DEALER(socket) => socket.send(message).await,
            Any::ROUTER(socket) => socket.send(message).await,
            Any::PUSH(socket) => socket.send(message).await,
            Any::XPUB(socket) => socket.send(message).await,
            Any::XSUB(socket) => socket.send(message).await,
            Any::SUB(_) | Any::PULL(_) => unreachable!("no SocketSend"),
        }
    }

    async fn recv(&mut self) -> ZmqResult<ZmqMessage> {
        match self {
            Any::SUB(socket) => socket.recv().await,
            Any::REQ(socket) => socket.recv().await,
            Any::REP(socket) => socket.recv().await,
            Any::DEALER(socket) => socket.recv().await,
            Any::ROUTER(socket) => socket.recv().await,
            Any::PULL(socket) => socket.recv().await,
            Any::XPUB(socket) => socket.recv().await,
            Any::XSUB(socket) => socket.recv().await,
            Any::PUB(_) | Any::PUSH(_) => unreachable!("no SocketRecv"),
        }
    }
}

enum Done {
    Connected(ZmqResult<()>),
    Sent(ZmqResult<()>),
    Received(ZmqResult<ZmqMessage>),
    Rested,
}

enum State {
    Idle(Box<Any>),
    Busy(BoxFuture<'static, (Box<Any>, Done)>),
    Moving,
}

struct Slot {
    kind: String,
    state: State,
    dials: VecDeque<String>,
    ahead: VecDeque<ZmqResult<ZmqMessage>>,
    sent: Option<ZmqResult<()>>,
    wanted: bool, // the application is in recv
    used: bool,   // bound or connected
    open: bool,   // REQ: a request is out; REP: the application has one to answer
    events: Option<Receiver<SocketEvent>>,
}

impl Slot {
    fn can_send(&self) -> bool {
        !matches!(self.kind.as_str(), "SUB" | "PULL")
    }

    fn can_receive(&self) -> bool {
        !matches!(self.kind.as_str(), "PUB" | "PUSH")
    }

    /// Whether to read ahead: neither where there is no request out, nor where it would take the place of the
    /// request that REP has to answer. There only the application's own recv asks.
    fn reads(&self) -> bool {
        let (room, ahead) = match self.kind.as_str() {
            "REQ" => (1, self.open),
            "REP" => (1, !self.open),
            "XPUB" => (usize::MAX, true), // here it learns of subscriptions
            _ => (AHEAD, true),
        };
        self.ahead.len() < room && self.can_receive() && (ahead || self.wanted)
    }

    /// What is read ahead has gone through REQ's and REP's state, but the application has not received it: there
    /// a send is refused, as it is before that recv and as it is while another recv has the socket.
    fn reading(&self) -> bool {
        match self.kind.as_str() {
            "REQ" => self.open || !self.ahead.is_empty(),
            "REP" => !self.ahead.is_empty() && !self.open,
            _ => false,
        }
    }

    fn begin<F>(&mut self, act: impl FnOnce(Box<Any>) -> F)
    where
        F: Future<Output = (Box<Any>, Done)> + Send + 'static,
    {
        if let State::Idle(socket) = mem::replace(&mut self.state, State::Moving) {
            self.state = State::Busy(Box::pin(act(socket)));
        }
    }

    fn serve(&mut self, cx: &mut Context<'_>) {
        loop {
            let (reads, is_req) = (self.reads(), self.kind == "REQ");
            match &mut self.state {
                State::Moving => return, // its proxy's task has it
                State::Busy(act) => {
                    let Poll::Ready((socket, done)) = act.as_mut().poll(cx) else { return };
                    self.state = State::Idle(socket);
                    self.finish(done);
                }
                State::Idle(_) if !self.dials.is_empty() => {
                    let endpoint = self.dials.pop_front().unwrap_or_default();
                    self.begin(|mut socket| async move {
                        let result = each!(&mut *socket, socket => socket.connect(&endpoint).await);
                        (socket, Done::Connected(result))
                    });
                }
                State::Idle(_) if !reads => return,
                State::Idle(_) if is_req => self.begin(|mut socket| async move {
                    let result = socket.recv().await;
                    (socket, Done::Received(result))
                }),
                State::Idle(socket) => {
                    let Poll::Ready(result) = std::pin::pin!(socket.recv()).poll(cx) else { return };
                    self.finish(Done::Received(result));
                }
            }
        }
    }

    fn finish(&mut self, done: Done) {
        match done {
            Done::Connected(Err(error)) => eprintln!("connect: {error}"),
            Done::Sent(result) => {
                self.open = self.kind == "REQ" && result.is_ok();
                self.sent = Some(result);
            }
            // An error tells of one connection, and the next recv goes on with the others. REQ has but one.
            Done::Received(Err(error)) if self.kind != "REQ" => {
                eprintln!("recv: {error}");
                self.begin(|socket| async {
                    sleep(REST).await;
                    (socket, Done::Rested)
                });
            }
            Done::Received(result) => {
                if self.kind == "REQ" {
                    self.open = false;
                }
                self.ahead.push_back(result);
            }
            Done::Connected(Ok(())) | Done::Rested => {}
        }
    }

    fn watched(&mut self) -> Vec<Value> {
        let mut events = vec![];
        while let Some(Ok(event)) = self.events.as_mut().map(Receiver::try_recv) {
            let (name, endpoint) = match event {
                SocketEvent::Connected(endpoint, _) => ("connected", endpoint.to_string()),
                SocketEvent::ConnectDelayed => ("connect-delayed", String::new()),
                SocketEvent::ConnectRetried => ("connect-retried", String::new()),
                SocketEvent::Listening(endpoint) => ("listening", endpoint.to_string()),
                SocketEvent::Accepted(endpoint, _) => ("accepted", endpoint.to_string()),
                SocketEvent::AcceptFailed(_) => ("accept-failed", String::new()),
                SocketEvent::Closed => ("closed", String::new()),
                SocketEvent::CloseFailed => ("close-failed", String::new()),
                SocketEvent::Disconnected(_) => ("disconnected", String::new()),
            };
            events.push(json!({"event": name, "endpoint": endpoint}));
        }
        events
    }
}

#[derive(Default)]
struct Sockets {
    slots: BTreeMap<u64, Slot>,
    opened: u64,
}

impl Sockets {
    fn serve(&mut self, cx: &mut Context<'_>) {
        self.slots.values_mut().for_each(|slot| slot.serve(cx));
    }

    /// Serve all sockets until `act` has something to say, or the time is over.
    async fn patiently<T>(&mut self, end: Instant, mut act: impl FnMut(&mut Self) -> Option<T>) -> Option<T> {
        let served = poll_fn(|cx| {
            self.serve(cx);
            act(self).map_or(Poll::Pending, Poll::Ready)
        });
        timeout_at(end, served).await.ok()
    }

    fn slot(&mut self, number: u64) -> Result<&mut Slot, Failure> {
        self.slots.get_mut(&number).ok_or_else(|| Failed(format!("no socket {number}")))
    }

    /// The socket, once nothing else has it.
    async fn idle(&mut self, number: u64, end: Instant) -> Option<&mut Any> {
        let free = |sockets: &mut Self| {
            let slot = sockets.slot(number).ok()?;
            matches!(slot.state, State::Idle(_)).then_some(())
        };
        self.patiently(end, free).await?;
        match &mut self.slots.get_mut(&number)?.state {
            State::Idle(socket) => Some(socket),
            _ => None,
        }
    }

    async fn now(&mut self, number: u64) -> Result<&mut Any, Failure> {
        self.slot(number)?;
        let waits = "the socket is in connect or send, which need it for themselves";
        self.idle(number, Instant::now() + OPERATION).await.ok_or_else(|| Failed(waits.into()))
    }

    fn open(&mut self, kind: &str, options: &Map<String, Value>) -> Result<Value, Failure> {
        let mut settings = SocketOptions::default();
        for (option, value) in options {
            settings = setting(settings, option, value)?;
        }
        let (state, kind) = (State::Idle(Box::new(Any::open(kind, settings)?)), kind.into());
        let (dials, ahead, sent, events) = (VecDeque::new(), VecDeque::new(), None, None);
        let slot = Slot { kind, state, dials, ahead, sent, wanted: false, used: false, open: false, events };
        self.opened += 1;
        self.slots.insert(self.opened, slot);
        Ok(json!({"socket": self.opened}))
    }

    /// Options can only be given to a new socket, so this takes the place of one that has not been used yet.
    fn set(&mut self, number: u64, option: &str, value: &Value) -> Result<(), Failure> {
        let slot = self.slot(number)?;
        if slot.used {
            return Err(Failed("options can only be given to a new socket".into()));
        }
        let settings = setting(SocketOptions::default(), option, value)?;
        slot.state = State::Idle(Box::new(Any::open(&slot.kind, settings)?));
        Ok(())
    }

    async fn close(&mut self, number: u64) -> Result<(), Failure> {
        self.slot(number)?;
        if let Some(State::Idle(mut socket)) = self.slots.remove(&number).map(|slot| slot.state) {
            each!(&mut *socket, socket => socket.unbind_all().await);
        }
        Ok(())
    }

    async fn subscribe(&mut self, number: u64, prefix: Vec<u8>, starts: bool) -> Result<(), Failure> {
        match self.now(number).await? {
            Any::SUB(socket) => {
                let prefix = String::from_utf8(prefix)?; // the library takes text only
                Ok(if starts { socket.subscribe(&prefix).await } else { socket.unsubscribe(&prefix).await }?)
            }
            Any::XSUB(socket) => {
                let request = [vec![starts as u8], prefix].concat();
                Ok(socket.send(request.into()).await?)
            }
            _ => Err(Failed("this type does not subscribe".into())),
        }
    }

    /// A send that is under way when the time is over goes on, and its message with it; the next would block.
    async fn send(&mut self, number: u64, parts: Vec<Bytes>, end: Instant) -> Result<&'static str, Failure> {
        let mut message = ZmqMessage::try_from(parts).map_err(|error| Failed(error.to_string()))?;
        loop {
            let slot = self.slot(number)?;
            if !slot.can_send() || slot.reading() {
                return Ok("refused");
            }
            if self.idle(number, end).await.is_none() {
                return Ok("would-block");
            }
            let slot = self.slot(number)?;
            slot.sent = None;
            slot.begin(|mut socket| async move {
                let result = socket.send(message).await;
                (socket, Done::Sent(result))
            });
            let sent = self.patiently(end, |sockets| sockets.slot(number).ok()?.sent.take()).await;
            // Without a connection the library gives the message back: who wants to wait tries again.
            message = match sent {
                None | Some(Ok(())) => return Ok("accepted"),
                Some(Err(ZmqError::ReturnToSender { reason, message })) => match reason {
                    "Not connected to peers. Unable to send messages" => message,
                    "Client disconnected" => return Ok("unroutable"),
                    _ => return Ok("refused"),
                },
                Some(Err(ZmqError::Other("Destination client not found by identity"))) => return Ok("unroutable"),
                Some(Err(error)) => return Err(error.into()),
            };
            if Instant::now() >= end {
                return Ok("would-block");
            }
            self.patiently(end.min(Instant::now() + TICK), |_| None::<()>).await;
        }
    }

    async fn receive(&mut self, number: u64, end: Instant) -> Result<Vec<Bytes>, Failure> {
        let slot = self.slot(number)?;
        if !slot.can_receive() {
            return Err(Failed("this type cannot receive".into()));
        }
        slot.wanted = true;
        let received = self.patiently(end, |sockets| sockets.slot(number).ok()?.ahead.pop_front()).await;
        let slot = self.slot(number)?;
        slot.wanted = false;
        let message = received.ok_or(Timeout)??;
        slot.open = slot.kind == "REP";
        Ok(message.into_vec())
    }

    async fn flood(&mut self, request: &Value) -> Result<Value, Failure> {
        let (number, size) = (whole(request, "socket")?, whole(request, "size_octets")?);
        let (count, seed, end) = (whole(request, "count")?, whole(request, "seed")?, end(request)?);
        let head = if request["head"].is_null() { vec![] } else { parts(&request["head"])? };
        for index in 0..count {
            let mut body = index.to_be_bytes().to_vec();
            body.extend((8..size).map(|at| (seed + index + at) as u8));
            let message = [head.clone(), vec![body.into()]].concat();
            if self.send(number, message, end).await? != "accepted" {
                return Ok(json!({"accepted": index}));
            }
        }
        Ok(json!({"accepted": count}))
    }

    async fn drain(&mut self, request: &Value) -> Result<Value, Failure> {
        let (number, count, end) = (whole(request, "socket")?, whole(request, "count")?, end(request)?);
        let (mut received, mut digest, mut first, mut last) = (0, Sha256::new(), None, None);
        while received < count {
            let message = match self.receive(number, end).await {
                Err(Timeout) => break,
                message => message?,
            };
            let body = message.last().cloned().unwrap_or_default();
            digest.update((body.len() as u64).to_be_bytes());
            digest.update(&body);
            last = body.first_chunk().map(|index| u64::from_be_bytes(*index));
            first = if received == 0 { last } else { first };
            received += 1;
        }
        let digest = hex::encode(digest.finalize());
        Ok(json!({"received": received, "digest": digest, "first": first, "last": last}))
    }

    async fn answer(&mut self, request: &Value) -> Result<Value, Failure> {
        let number = || whole(request, "socket");
        let endpoint = || request["endpoint"].as_str().ok_or_else(|| Failed("endpoint".into()));
        match request["op"].as_str().unwrap_or_default() {
            "hello" => {
                return Ok(json!({
                    "peer": "zeromq-rs", "library": "zmq.rs", "version": "0.6.0", "language": "Rust", "control": "1"
                }))
            }
            "open" => {
                let options = request["options"].as_object().cloned().unwrap_or_default();
                return self.open(request["type"].as_str().unwrap_or_default(), &options);
            }
            "close" => self.close(number()?).await?,
            "set" => self.set(number()?, request["option"].as_str().unwrap_or_default(), &request["value"])?,
            "bind" => {
                self.slot(number()?)?.used = true;
                let wanted = endpoint()?.replace(":*", ":0");
                let bound = each!(self.now(number()?).await?, socket => socket.bind(&wanted).await)?;
                return Ok(json!({"endpoint": bound.to_string()}));
            }
            "connect" => {
                let slot = self.slot(number()?)?;
                slot.used = true;
                slot.dials.push_back(endpoint()?.into());
                return Ok(json!({"endpoint": endpoint()?}));
            }
            "unbind" => {
                let bound: Endpoint = endpoint()?.parse()?;
                each!(self.now(number()?).await?, socket => socket.unbind(bound).await)?;
            }
            "subscribe" => self.subscribe(number()?, octets(&request["prefix"])?, true).await?,
            "cancel" => self.subscribe(number()?, octets(&request["prefix"])?, false).await?,
            "send" => {
                let outcome = self.send(number()?, parts(&request["parts"])?, end(request)?).await?;
                return Ok(json!({"outcome": outcome}));
            }
            "recv" => {
                let parts = self.receive(number()?, end(request)?).await?;
                return Ok(json!({"parts": parts.iter().map(hex::encode).collect::<Vec<_>>()}));
            }
            "poll" => {
                let numbers: Vec<_> = request["sockets"].as_array().into_iter().flatten().collect();
                let readable = |sockets: &mut Self| {
                    let mut ready = numbers.clone();
                    ready.retain(|number| {
                        let slot = number.as_u64().and_then(|number| sockets.slots.get(&number));
                        slot.is_some_and(|slot| !slot.ahead.is_empty())
                    });
                    (!ready.is_empty()).then_some(ready)
                };
                let ready = self.patiently(end(request)?, readable).await;
                return Ok(json!({"readable": ready.unwrap_or_default()}));
            }
            "flood" => return self.flood(request).await,
            "drain" => return self.drain(request).await,
            "monitor" => {
                if self.slot(number()?)?.events.is_none() {
                    let events = each!(self.now(number()?).await?, socket => socket.monitor());
                    self.slot(number()?)?.events = Some(events);
                }
                return Ok(json!({"events": self.slot(number()?)?.watched()}));
            }
            unknown => return Err(Unsupported(unknown.into())),
        }
        Ok(json!({}))
    }
}

fn setting(mut settings: SocketOptions, option: &str, value: &Value) -> Result<SocketOptions, Failure> {
    match option {
        "identity" => settings.peer_identity(PeerIdentity::try_from(octets(value)?)?),
        _ => return Err(Unsupported(option.into())),
    };
    Ok(settings)
}

fn whole(request: &Value, field: &str) -> Result<u64, Failure> {
    request[field].as_u64().ok_or_else(|| Failed(field.into()))
}

fn end(request: &Value) -> Result<Instant, Failure> {
    Ok(Instant::now() + Duration::from_millis(whole(request, "timeout_ms")?))
}

fn octets(value: &Value) -> Result<Vec<u8>, Failure> {
    Ok(hex::decode(value.as_str().unwrap_or_default())?)
}

fn parts(value: &Value) -> Result<Vec<Bytes>, Failure> {
    let parts = value.as_array().into_iter().flatten();
    parts.map(|part| octets(part).map(Bytes::from)).collect()
}

/// The loop is a spawned task: in the main one, `recv` of zmq.rs turns in circles for ever as soon as tokio asks
/// for a pause, which it does after some hundred reads; the wake-up that should come later comes at once there.
#[tokio::main(worker_threads = 2)]
async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    tokio::spawn(serve()).await?
}

async fn serve() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let (mut input, mut output) = (tokio::io::BufReader::new(tokio::io::stdin()), tokio::io::stdout());
    let (mut sockets, mut line) = (Sockets::default(), vec![]);
    loop {
        let read = tokio::select! {
            read = input.read_until(b'\n', &mut line) => read?,
            _ = poll_fn(|cx| { sockets.serve(cx); Poll::<()>::Pending }) => continue,
        };
        if read == 0 {
            std::process::exit(0); // standard input's thread would be waited for
        }
        let request: Value = serde_json::from_slice(&line)?;
        let answer = match sockets.answer(&request).await {
            Ok(fields) => json!({"id": request["id"], "ok": fields}),
            Err(failure) => {
                let (kind, detail) = match failure {
                    Unsupported(what) => ("unsupported", what),
                    Timeout => ("timeout", "none in time".into()),
                    Failed(why) => ("failed", why),
                };
                json!({"id": request["id"], "error": {"kind": kind, "detail": detail}})
            }
        };
        output.write_all(format!("{answer}\n").as_bytes()).await?;
        output.flush().await?;
        line.clear();
    }
}
