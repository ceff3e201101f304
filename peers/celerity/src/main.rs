//! Control protocol adapter for the crate `celerity`. It reports; it judges nothing.
//!
//! celerity's ready-made sockets bind (PUB, REP) or dial (SUB, REQ), once, without any settings. Its connections
//! (`TokioCelerity`) and its cores of the patterns are public too, and do more: here they are put together as in
//! its `io::socket`. A connection takes part from its handshake on; what ends a core there ends the socket here.
//!
//! Connections work in tasks of their own. This one task takes what they bring, also while it waits for anything
//! but a connection's answer: sending and receiving both need the connection, so one waits for the other.

use std::collections::{BTreeMap, VecDeque};
use std::future::poll_fn;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::pin::pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use celerity::io::{AnyStream, TokioCelerity, TokioCelerityError, TransportKind, TransportMeta};
use celerity::{
    LinkScope, LocalAuthPolicy, Multipart, OutboundItem, PatternAction, PeerConfig, PeerEvent, ProtocolError,
    PubCore, RepCore, ReqCore, SecurityConfig, SecurityRole, SocketType, SubCore,
};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, UnixListener};
use tokio::time::{Instant, timeout, timeout_at};

const OPERATION: Duration = Duration::from_secs(4); // how long operations without a timeout wait for a connection
const HOP: Duration = Duration::from_secs(1); // for a connection's task to answer, where nobody wants to wait
const TICK: Duration = Duration::from_millis(2); // between attempts to send without a connection
const FOR_EVER: Duration = Duration::from_secs(86_400 * 365);
const NO_MARK: usize = i32::MAX as usize; // celerity has no way to say "none"

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

type Actions = Vec<PatternAction<u64>>;

enum Core {
    Pub(PubCore<u64>),
    Sub(SubCore<u64>),
    Req(ReqCore<u64>),
    Rep(RepCore<u64>),
}

impl Core {
    fn add(&mut self, link: u64) -> Actions {
        match self {
            Core::Pub(_) => {}
            Core::Sub(core) => return core.add_peer(link),
            Core::Req(core) => core.add_peer(link),
            Core::Rep(core) => core.add_peer(link),
        }
        vec![]
    }

    fn remove(&mut self, link: u64) -> Result<Actions, ProtocolError> {
        match self {
            Core::Pub(core) => core.remove_peer(link),
            Core::Sub(core) => core.remove_peer(link),
            Core::Req(core) => core.remove_peer(link),
            Core::Rep(core) => return core.remove_peer(link),
        }
        Ok(vec![])
    }

    fn hear(&mut self, link: u64, event: PeerEvent) -> Result<Actions, ProtocolError> {
        match self {
            Core::Pub(core) => core.on_peer_event(link, event).map(|()| vec![]),
            Core::Sub(core) => core.on_peer_event(link, event),
            Core::Req(core) => core.on_peer_event(link, event),
            Core::Rep(core) => core.on_peer_event(link, event),
        }
    }

    /// What sending comes to. Of PUB and REP it is final; REQ may have nobody to ask yet.
    fn send(&mut self, message: Multipart) -> Result<Actions, ProtocolError> {
        match self {
            Core::Pub(core) => core.publish(&message),
            Core::Sub(_) => Err(ProtocolError::ReqStateViolation("SUB does not send")),
            Core::Req(core) => core.send(message).map(|action| vec![action]),
            Core::Rep(core) => core.reply(message),
        }
    }
}

enum Listener {
    Tcp(TcpListener),
    Ipc(UnixListener, PathBuf),
}

impl Listener {
    async fn bind(endpoint: &str) -> Result<(Self, String), Failure> {
        if let Some(path) = endpoint.strip_prefix("ipc://") {
            return Ok((Listener::Ipc(UnixListener::bind(path)?, path.into()), endpoint.into()));
        }
        let address = endpoint.strip_prefix("tcp://").ok_or_else(|| Failed(endpoint.into()))?;
        let listener = TcpListener::bind(address.replace(":*", ":0")).await?;
        let bound = format!("tcp://{}", listener.local_addr()?);
        Ok((Listener::Tcp(listener), bound))
    }

    fn accept(&self, cx: &mut Context<'_>) -> Poll<std::io::Result<(AnyStream, TransportMeta)>> {
        match self {
            Listener::Tcp(listener) => listener.poll_accept(cx).map_ok(|(stream, address)| {
                let _ = stream.set_nodelay(true);
                (stream.into(), tcp(address))
            }),
            Listener::Ipc(listener, _) => listener.poll_accept(cx).map_ok(|(stream, _)| {
                let (kind, link_scope) = (TransportKind::Ipc, LinkScope::Local);
                (stream.into(), TransportMeta { kind, link_scope, null_authorized: true })
            }),
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if let Listener::Ipc(_, path) = self {
            let _ = std::fs::remove_file(path);
        }
    }
}

fn tcp(address: SocketAddr) -> TransportMeta {
    let local = address.ip().is_loopback();
    let link_scope = if local { LinkScope::Local } else { LinkScope::NonLocal };
    TransportMeta { kind: TransportKind::Tcp, link_scope, null_authorized: local }
}

struct Slot {
    core: Core,
    config: PeerConfig, // of the connections to come
    listeners: Vec<Listener>,
    links: BTreeMap<u64, TokioCelerity>,
    linked: u64,
    heard: u64, // the connection that was heard last: the others are before it
    ahead: VecDeque<Multipart>,
    asked: Option<u64>, // REQ: whose reply is due
    todo: VecDeque<PatternAction<u64>>,
    ended: Option<String>,
}

impl Slot {
    fn new(kind: &str) -> Result<Self, Failure> {
        let (kind, core) = match kind {
            "PUB" => (SocketType::Pub, Core::Pub(PubCore::new())),
            "SUB" => (SocketType::Sub, Core::Sub(SubCore::new())),
            "REQ" => (SocketType::Req, Core::Req(ReqCore::new())),
            "REP" => (SocketType::Rep, Core::Rep(RepCore::new())),
            _ => return Err(Unsupported(kind.into())),
        };
        // celerity refuses NULL on TCP beyond this machine unless told otherwise, and a container is beyond: its
        // partner has another address. It also refuses sockets in the file system that others may open.
        let security = SecurityConfig::null()
            .with_insecure_null(true)
            .with_local_auth_policy(LocalAuthPolicy::FilesystemRelaxed);
        let config = PeerConfig::new(kind, SecurityRole::Client, LinkScope::Local).with_security(security);
        let (listeners, links, ahead, todo) = (vec![], BTreeMap::new(), VecDeque::new(), VecDeque::new());
        let (asked, ended) = (None, None);
        Ok(Slot { core, config, listeners, links, linked: 0, heard: 0, ahead, asked, todo, ended })
    }

    fn set(&mut self, option: &str, value: &Value) -> Result<(), Failure> {
        let mark = || match value.as_u64() {
            Some(0) => Ok(NO_MARK),
            Some(mark) => Ok(mark as usize),
            None => Err(Failed(option.into())),
        };
        match option {
            "identity" => self.config.identity = Some(octets(value)?),
            "send-hwm" => self.config.hwm.outbound_messages = mark()?,
            "receive-hwm" => self.config.hwm.inbound_messages = mark()?,
            _ => return Err(Unsupported(option.into())),
        }
        Ok(())
    }

    fn get(&self, option: &str) -> Result<Value, Failure> {
        let mark = |mark: usize| json!(if mark == NO_MARK { 0 } else { mark });
        match option {
            "identity" => Ok(json!(hex::encode(self.config.identity.as_deref().unwrap_or_default()))),
            "send-hwm" => Ok(mark(self.config.hwm.outbound_messages)),
            "receive-hwm" => Ok(mark(self.config.hwm.inbound_messages)),
            _ => Err(Unsupported(option.into())),
        }
    }

    fn config(&self, security_role: SecurityRole) -> PeerConfig {
        PeerConfig { security_role, ..self.config.clone() }
    }

    fn link(&mut self, link: TokioCelerity) {
        self.linked += 1;
        self.links.insert(self.linked, link);
    }

    fn end(&mut self, error: &dyn std::error::Error) {
        eprintln!("the socket ends: {error}");
        self.ended = Some(error.to_string());
        self.listeners.clear();
        self.links.clear();
    }

    /// Accept who comes, and take what the connections bring.
    fn serve(&mut self, cx: &mut Context<'_>) {
        let mut streams = vec![];
        for listener in &self.listeners {
            while let Poll::Ready(Ok(accepted)) = listener.accept(cx) {
                streams.push(accepted);
            }
        }
        for (stream, transport) in streams {
            match TokioCelerity::from_stream(stream, transport, self.config(SecurityRole::Server)) {
                Ok(link) => self.link(link),
                Err(error) => eprintln!("accept: {error}"),
            }
        }
        while self.hear(cx) {}
    }

    /// One event of the next connection that has one. Where the application does not receive, nothing is read: a
    /// SUB of celerity keeps as many messages between its connection and its application as the connection does.
    fn hear(&mut self, cx: &mut Context<'_>) -> bool {
        if matches!(self.core, Core::Sub(_)) && self.ahead.len() >= self.config.hwm.inbound_messages {
            return false;
        }
        let after = self.heard + 1;
        let mut turns: Vec<_> = self.links.range(after..).map(|(link, _)| *link).collect();
        turns.extend(self.links.range(..after).map(|(link, _)| *link));
        for link in turns {
            let Some(connection) = self.links.get_mut(&link) else { continue };
            let Poll::Ready(event) = pin!(connection.recv()).poll(cx) else { continue };
            self.heard = link;
            let result = match event {
                Some(PeerEvent::HandshakeComplete { .. }) => Ok(self.core.add(link)),
                Some(event) => self.core.hear(link, event),
                None => self.gone(link),
            };
            match result {
                Ok(actions) => self.todo.extend(actions),
                Err(error) => self.end(&error),
            }
            self.deliver();
            return true;
        }
        false
    }

    fn gone(&mut self, link: u64) -> Result<Actions, ProtocolError> {
        if let Some(connection) = self.links.remove(&link) {
            tokio::spawn(async { connection.join().await.inspect_err(|error| eprintln!("connection: {error}")) });
        }
        self.asked = self.asked.filter(|asked| *asked != link);
        self.core.remove(link)
    }

    fn deliver(&mut self) {
        for action in std::mem::take(&mut self.todo) {
            match action {
                PatternAction::Deliver { message, .. } => {
                    self.asked = None;
                    self.ahead.push_back(message);
                }
                send => self.todo.push_back(send),
            }
        }
    }

    /// Let the connections send what is to be sent. Whether the time was enough; then nothing is left to do.
    async fn act(&mut self, end: Instant) -> Result<bool, TokioCelerityError> {
        let (mut in_time, mut result) = (true, Ok(()));
        self.deliver();
        while let Some(PatternAction::Send { peer, item }) = self.todo.pop_front() {
            let Some(link) = self.links.get(&peer) else { continue };
            match timeout_at(end, send(link, item, &self.core)).await {
                Ok(sent) => result = result.and(sent),
                Err(_) => in_time = false,
            }
        }
        result.map(|()| in_time)
    }

    fn check(&self) -> Result<(), Failure> {
        self.ended.as_ref().map_or(Ok(()), |error| Err(Failed(error.clone())))
    }

    async fn send(&mut self, message: Multipart, end: Instant) -> Result<Option<&'static str>, Failure> {
        self.check()?;
        match self.core.send(message) {
            Ok(actions) => self.todo.extend(actions),
            Err(ProtocolError::NoAvailablePeers) => return Ok(None),
            Err(ProtocolError::ReqStateViolation(_) | ProtocolError::RepStateViolation(_)) => {
                return Ok(Some("refused"));
            }
            Err(error) => return Err(error.into()),
        }
        if let (Core::Req(_), Some(PatternAction::Send { peer, .. })) = (&self.core, self.todo.back()) {
            self.asked = Some(*peer);
        }
        Ok(Some(if self.act(end).await? { "accepted" } else { "would-block" }))
    }

    async fn subscribe(&mut self, prefix: &Bytes, starts: bool) -> Result<(), Failure> {
        self.check()?;
        let Core::Sub(core) = &mut self.core else { return Err(Failed("this type does not subscribe".into())) };
        self.todo.extend(if starts { core.subscribe(prefix)? } else { core.cancel(prefix)? });
        match self.act(Instant::now() + OPERATION).await? {
            true => Ok(()),
            false => Err(Failed("a connection does not take the subscription".into())),
        }
    }
}

/// As celerity's own sockets: a full queue is PUB's affair, and of the others only their sender's.
async fn send(link: &TokioCelerity, item: OutboundItem, core: &Core) -> Result<(), TokioCelerityError> {
    use TokioCelerityError::{BackgroundTaskEnded, BackgroundTaskFailed, ChannelClosed, QueueFull};
    match core {
        Core::Pub(_) => match link.try_send(item).await {
            Err(QueueFull | BackgroundTaskEnded | BackgroundTaskFailed(_) | ChannelClosed(_)) => Ok(()),
            result => result,
        },
        _ => link.send(item).await,
    }
}

#[derive(Default)]
struct Sockets {
    slots: BTreeMap<u64, Slot>,
    opened: u64,
}

impl Sockets {
    fn slot(&mut self, request: &Value) -> Result<&mut Slot, Failure> {
        let number = whole(request, "socket")?;
        self.slots.get_mut(&number).ok_or_else(|| Failed(format!("no socket {number}")))
    }

    /// Serve all sockets until `look` has something to say, or the time is over.
    async fn patiently<T>(
        &mut self,
        end: Instant,
        mut look: impl FnMut(&mut Self, &mut Context<'_>) -> Poll<T>,
    ) -> Option<T> {
        loop {
            let served = poll_fn(|cx| {
                self.slots.values_mut().for_each(|slot| slot.serve(cx));
                match self.slots.values().any(|slot| !slot.todo.is_empty()) {
                    true => Poll::Ready(None),
                    false => look(self, cx).map(Some),
                }
            });
            if let Some(found) = timeout_at(end, served).await.ok()? {
                return Some(found);
            }
            for slot in self.slots.values_mut() {
                if let Err(error) = slot.act(Instant::now() + OPERATION).await {
                    eprintln!("send: {error}");
                }
            }
        }
    }

    fn open(&mut self, request: &Value) -> Result<Value, Failure> {
        let mut slot = Slot::new(text(request, "type")?)?;
        for (option, value) in request["options"].as_object().unwrap_or(&Map::new()) {
            slot.set(option, value)?;
        }
        self.opened += 1;
        self.slots.insert(self.opened, slot);
        Ok(json!({"socket": self.opened}))
    }

    async fn connect(&mut self, request: &Value) -> Result<Value, Failure> {
        let (slot, endpoint) = (self.slot(request)?, text(request, "endpoint")?);
        slot.check()?;
        // It waits for the connection, and does not try again. Nobody answers: then the time is over.
        let dialled = TokioCelerity::connect(endpoint, slot.config(SecurityRole::Client));
        slot.link(timeout(OPERATION, dialled).await??);
        Ok(json!({"endpoint": endpoint}))
    }

    async fn send(&mut self, request: &Value, message: Multipart, end: Instant) -> Result<&'static str, Failure> {
        loop {
            self.patiently(Instant::now(), |_, _| Poll::Ready(())).await;
            let sent = self.slot(request)?.send(message.clone(), end.max(Instant::now() + HOP)).await?;
            match sent {
                Some(outcome) => return Ok(outcome),
                None if Instant::now() >= end => return Ok("would-block"),
                None => self.patiently(end.min(Instant::now() + TICK), |_, _| Poll::<()>::Pending).await,
            };
        }
    }

    async fn receive(&mut self, request: &Value, end: Instant) -> Result<Multipart, Failure> {
        let look = |sockets: &mut Self| -> Result<Option<Multipart>, Failure> {
            let slot = sockets.slot(request)?;
            match (slot.ahead.pop_front(), &slot.core) {
                (Some(message), _) => Ok(Some(message)),
                (None, Core::Pub(_)) => Err(Failed("PUB does not receive".into())),
                // A reply is what its request() answers: without a request there is nothing to call.
                (None, Core::Req(_)) if slot.asked.is_none() => Err(Failed("no request is out".into())),
                _ => slot.check().map(|()| None),
            }
        };
        let look = |sockets: &mut Self, _: &mut Context<'_>| match look(sockets).transpose() {
            Some(result) => Poll::Ready(result),
            None => Poll::Pending,
        };
        self.patiently(end, look).await.unwrap_or(Err(Timeout))
    }

    async fn poll(&mut self, request: &Value) -> Result<Value, Failure> {
        let numbers: Vec<_> =
            request["sockets"].as_array().into_iter().flatten().filter_map(Value::as_u64).collect();
        let look = |sockets: &mut Self, _: &mut Context<'_>| {
            let ready = |number: &u64| sockets.slots.get(number).is_some_and(|slot| !slot.ahead.is_empty());
            let ready: Vec<_> = numbers.iter().copied().filter(ready).collect();
            if ready.is_empty() { Poll::Pending } else { Poll::Ready(ready) }
        };
        Ok(json!({"readable": self.patiently(end(request)?, look).await.unwrap_or_default()}))
    }

    async fn flood(&mut self, request: &Value) -> Result<Value, Failure> {
        let (size, end) = (whole(request, "size_octets")?, end(request)?.max(Instant::now() + HOP));
        let (count, seed) = (whole(request, "count")?, whole(request, "seed")?);
        let head = if request["head"].is_null() { vec![] } else { parts(&request["head"])? };
        for index in 0..count {
            let mut body = index.to_be_bytes().to_vec();
            body.extend((8..size).map(|at| (seed + index + at) as u8));
            let message = [head.clone(), vec![body.into()]].concat();
            if Instant::now() > end || self.send(request, message, end).await? != "accepted" {
                return Ok(json!({"accepted": index}));
            }
        }
        Ok(json!({"accepted": count}))
    }

    async fn drain(&mut self, request: &Value) -> Result<Value, Failure> {
        let (count, end) = (whole(request, "count")?, end(request)?);
        let (mut received, mut digest, mut first, mut last) = (0, Sha256::new(), None, None);
        while received < count {
            let message = match self.receive(request, end).await {
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
        match text(request, "op")? {
            "hello" => {
                return Ok(json!({
                    "peer": "celerity", "library": "celerity", "version": "0.1.1", "language": "Rust", "control": "1"
                }));
            }
            "open" => return self.open(request),
            "close" => {
                self.slot(request)?;
                self.slots.remove(&whole(request, "socket")?);
            }
            "set" => self.slot(request)?.set(text(request, "option")?, &request["value"])?,
            "get" => return Ok(json!({"value": self.slot(request)?.get(text(request, "option")?)?})),
            "bind" => {
                let slot = self.slot(request)?;
                slot.check()?;
                let (listener, bound) = Listener::bind(text(request, "endpoint")?).await?;
                slot.listeners.push(listener);
                return Ok(json!({"endpoint": bound}));
            }
            "connect" => return self.connect(request).await,
            "subscribe" => self.slot(request)?.subscribe(&octets(&request["prefix"])?, true).await?,
            "cancel" => self.slot(request)?.subscribe(&octets(&request["prefix"])?, false).await?,
            "send" => {
                let outcome = self.send(request, parts(&request["parts"])?, end(request)?).await?;
                return Ok(json!({"outcome": outcome}));
            }
            "recv" => {
                let parts = self.receive(request, end(request)?).await?;
                return Ok(json!({"parts": parts.iter().map(hex::encode).collect::<Vec<_>>()}));
            }
            "poll" => return self.poll(request).await,
            "flood" => return self.flood(request).await,
            "drain" => return self.drain(request).await,
            unknown => return Err(Unsupported(unknown.into())),
        }
        Ok(json!({}))
    }
}

fn text<'a>(request: &'a Value, field: &str) -> Result<&'a str, Failure> {
    request[field].as_str().ok_or_else(|| Failed(field.into()))
}

fn whole(request: &Value, field: &str) -> Result<u64, Failure> {
    request[field].as_u64().ok_or_else(|| Failed(field.into()))
}

fn end(request: &Value) -> Result<Instant, Failure> {
    Ok(Instant::now() + Duration::from_millis(whole(request, "timeout_ms")?))
}

fn octets(value: &Value) -> Result<Bytes, Failure> {
    Ok(hex::decode(value.as_str().unwrap_or_default())?.into())
}

fn parts(value: &Value) -> Result<Multipart, Failure> {
    value.as_array().into_iter().flatten().map(octets).collect()
}

#[tokio::main(worker_threads = 2)]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (mut input, mut output) = (tokio::io::BufReader::new(tokio::io::stdin()), tokio::io::stdout());
    let (mut sockets, mut line) = (Sockets::default(), vec![]);
    loop {
        let mut read = Box::pin(input.read_until(b'\n', &mut line));
        let asked = sockets.patiently(Instant::now() + FOR_EVER, |_, cx| read.as_mut().poll(cx)).await;
        drop(read);
        if asked.transpose()?.is_none_or(|octets| octets == 0) {
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
