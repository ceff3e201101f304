//! Control protocol adapter for the crate `rzmq`. It reports; it judges nothing.
//!
//! rzmq works in tasks of its own, so one task with the sockets in a table is enough. Receives wait by its own
//! RCVTIMEO: no future is dropped half way, so no message is lost, and none is received before it is asked for,
//! which would hide the high-water marks. Only `poll`, for which rzmq has nothing, receives one ahead. Sends
//! wait by SNDTIMEO, but at a full connection that of its first day holds (without end), so what still waits
//! then is dropped: it has not taken its place in the queue. Not so REQ's, which would forget its state.

use std::collections::HashMap;
use std::time::Duration;

use rzmq::socket::{options, MonitorReceiver, SocketEvent};
use rzmq::{Context, Msg, MsgFlags, Socket, SocketType, ZmqError};
use serde_json::{json, Map, Value};
use sha2::{Digest, Sha256};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt};
use tokio::time::{sleep, timeout_at, Instant};

const TICK: Duration = Duration::from_millis(1); // between the looks of poll
const NUMBERS: [(&str, i32); 7] = [
    ("send-hwm", options::SNDHWM),
    ("receive-hwm", options::RCVHWM),
    ("linger-ms", options::LINGER),
    ("heartbeat-interval-ms", options::HEARTBEAT_IVL),
    ("heartbeat-timeout-ms", options::HEARTBEAT_TIMEOUT),
    ("handshake-interval-ms", options::HANDSHAKE_IVL),
    ("reconnect-interval-ms", options::RECONNECT_IVL),
];
const FLAGS: [(&str, i32); 4] = [
    ("mandatory", options::ROUTER_MANDATORY),
    ("immediate", options::IMMEDIATE),
    ("req-relaxed", options::REQ_RELAXED),
    ("req-correlate", options::REQ_CORRELATE),
];

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

struct Slot {
    kind: SocketType,
    socket: Socket,
    ahead: Option<Vec<Msg>>,
    waits: HashMap<i32, i32>, // RCVTIMEO and SNDTIMEO as they are set
    events: Option<MonitorReceiver>,
}

impl Slot {
    async fn set(&self, option: &str, value: &Value) -> Result<(), Failure> {
        let number = |options: &[(&str, i32)]| Some(options.iter().find(|(name, _)| *name == option)?.1);
        let whole = || value.as_i64().ok_or_else(|| Failed(option.into()));
        if let Some(number) = number(&NUMBERS) {
            self.socket.set_option(number, whole()? as i32).await?;
        } else if let Some(number) = number(&FLAGS) {
            self.socket.set_option(number, value.as_bool() == Some(true)).await?;
        } else if option == "max-message-octets" {
            self.socket.set_option_raw(options::MAXMSGSIZE, &whole()?.to_ne_bytes()).await?;
        } else if option == "identity" {
            self.socket.set_option(options::ROUTING_ID, octets(value)?).await?;
        } else {
            return Err(Unsupported(option.into()));
        }
        Ok(())
    }

    async fn get(&self, option: &str) -> Result<Value, Failure> {
        let number = |options: &[(&str, i32)]| Some(options.iter().find(|(name, _)| *name == option)?.1);
        if let Some(number) = number(&NUMBERS) {
            Ok(json!(i32::from_ne_bytes(self.socket.get_option(number).await?.as_slice().try_into()?)))
        } else if let Some(number) = number(&FLAGS) {
            Ok(json!(self.socket.get_option(number).await?.iter().any(|octet| *octet != 0)))
        } else if option == "max-message-octets" {
            let value = self.socket.get_option(options::MAXMSGSIZE).await?;
            Ok(json!(i64::from_ne_bytes(value.as_slice().try_into()?)))
        } else if option == "identity" {
            Ok(json!(hex::encode(self.socket.get_option(options::ROUTING_ID).await?)))
        } else {
            Err(Unsupported(option.into()))
        }
    }

    async fn wait(&mut self, option: i32, time: Duration) -> Result<(), Failure> {
        let ms = i32::try_from(time.as_millis()).unwrap_or(i32::MAX);
        if self.waits.insert(option, ms) != Some(ms) {
            self.socket.set_option(option, ms).await?;
        }
        Ok(())
    }

    async fn send(&mut self, parts: Vec<Vec<u8>>, end: Instant) -> Result<&'static str, Failure> {
        // poll has taken the message through the socket's state, but the application has not received it
        if self.ahead.is_some() && matches!(self.kind, SocketType::Req | SocketType::Rep) {
            return Ok("refused");
        }
        self.wait(options::SNDTIMEO, left(end)).await?;
        let mut parts: Vec<_> = parts.into_iter().map(Msg::from_vec).collect();
        let last = parts.len() - 1;
        parts[..last].iter_mut().for_each(|part| part.set_flags(MsgFlags::MORE)); // only ROUTER asks for it
        let sent = match (self.kind, last) {
            (SocketType::Req, 0) => self.socket.send(parts.remove(0)).await, // its send_multipart only says no
            (SocketType::Req, _) => self.socket.send_multipart(parts).await,
            _ => timeout_at(end, self.socket.send_multipart(parts)).await.unwrap_or(Err(ZmqError::Timeout)),
        };
        match sent {
            Ok(()) => Ok("accepted"),
            Err(ZmqError::ResourceLimitReached | ZmqError::Timeout) => Ok("would-block"),
            Err(ZmqError::HostUnreachable(_)) => Ok("unroutable"),
            Err(ZmqError::InvalidState(_) | ZmqError::UnsupportedFeature(_)) => Ok("refused"),
            Err(error) => Err(error.into()),
        }
    }

    async fn receive(&mut self, time: Duration) -> Result<Vec<Msg>, Failure> {
        if let Some(message) = self.ahead.take() {
            return Ok(message);
        }
        self.wait(options::RCVTIMEO, time).await?;
        match self.socket.recv_multipart().await {
            Err(ZmqError::ResourceLimitReached | ZmqError::Timeout) => Err(Timeout),
            Ok(message) if message.is_empty() => Err(Failed("a message without a frame".into())),
            result => Ok(result?),
        }
    }

    async fn readable(&mut self) -> bool {
        if self.ahead.is_none() {
            self.ahead = self.receive(Duration::ZERO).await.ok();
        }
        self.ahead.is_some()
    }

    fn watched(&mut self) -> Vec<Value> {
        let mut events = vec![];
        while let Some(Ok(event)) = self.events.as_ref().map(MonitorReceiver::try_recv) {
            let (name, endpoint) = match event {
                SocketEvent::Listening { endpoint } => ("listening", endpoint),
                SocketEvent::BindFailed { endpoint, .. } => ("bind-failed", endpoint),
                SocketEvent::Accepted { endpoint, .. } => ("accepted", endpoint),
                SocketEvent::AcceptFailed { endpoint, .. } => ("accept-failed", endpoint),
                SocketEvent::Connected { endpoint, .. } => ("connected", endpoint),
                SocketEvent::ConnectDelayed { endpoint, .. } => ("connect-delayed", endpoint),
                SocketEvent::ConnectRetried { endpoint, .. } => ("connect-retried", endpoint),
                SocketEvent::ConnectFailed { endpoint, .. } => ("connect-failed", endpoint),
                SocketEvent::Closed { endpoint } => ("closed", endpoint),
                SocketEvent::Disconnected { endpoint } => ("disconnected", endpoint),
                SocketEvent::HandshakeFailed { endpoint, .. } => ("handshake-failed-no-detail", endpoint),
                SocketEvent::HandshakeSucceeded { endpoint } => ("handshake-succeeded", endpoint),
                SocketEvent::ConnectionCongested { endpoint } => ("congested", endpoint),
                SocketEvent::ConnectionUncongested { endpoint } => ("uncongested", endpoint),
                _ => continue,
            };
            events.push(json!({"event": name, "endpoint": endpoint}));
        }
        events
    }
}

struct Sockets {
    context: Context,
    slots: HashMap<u64, Slot>,
    opened: u64,
}

impl Sockets {
    fn slot(&mut self, request: &Value) -> Result<&mut Slot, Failure> {
        let number = whole(request, "socket")?;
        self.slots.get_mut(&number).ok_or_else(|| Failed(format!("no socket {number}")))
    }

    async fn open(&mut self, kind: &str, wanted: &Map<String, Value>) -> Result<Value, Failure> {
        let kind = match kind {
            "PUB" => SocketType::Pub,
            "SUB" => SocketType::Sub,
            "REQ" => SocketType::Req,
            "REP" => SocketType::Rep,
            "DEALER" => SocketType::Dealer,
            "ROUTER" => SocketType::Router,
            "PUSH" => SocketType::Push,
            "PULL" => SocketType::Pull,
            _ => return Err(Unsupported(kind.into())),
        };
        let (socket, waits) = (self.context.socket(kind)?, HashMap::new());
        let slot = Slot { kind, socket, ahead: None, waits, events: None };
        if matches!(kind, SocketType::Dealer | SocketType::Router) {
            // By default these add and strip an empty delimiter. Its README: disable it for interoperation.
            slot.socket.set_option(options::AUTO_DELIMITER, false).await?;
        }
        for (option, value) in wanted {
            if let Err(failure) = slot.set(option, value).await {
                slot.socket.close().await?;
                return Err(failure);
            }
        }
        self.opened += 1;
        self.slots.insert(self.opened, slot);
        Ok(json!({"socket": self.opened}))
    }

    async fn poll(&mut self, request: &Value) -> Result<Value, Failure> {
        let end = end(request)?;
        loop {
            let mut readable = vec![];
            for number in request["sockets"].as_array().into_iter().flatten().filter_map(Value::as_u64) {
                if let Some(slot) = self.slots.get_mut(&number) {
                    if slot.readable().await {
                        readable.push(number);
                    }
                }
            }
            if !readable.is_empty() || left(end).is_zero() {
                return Ok(json!({"readable": readable}));
            }
            sleep(TICK).await;
        }
    }

    async fn flood(&mut self, request: &Value) -> Result<Value, Failure> {
        let (size, slot) = (whole(request, "size_octets")?, self.slot(request)?);
        let (count, seed, end) = (whole(request, "count")?, whole(request, "seed")?, end(request)?);
        let head = if request["head"].is_null() { vec![] } else { parts(&request["head"])? };
        for index in 0..count {
            let mut body = index.to_be_bytes().to_vec();
            body.extend((8..size).map(|at| (seed + index + at) as u8));
            if slot.send([head.clone(), vec![body]].concat(), end).await? != "accepted" {
                return Ok(json!({"accepted": index}));
            }
        }
        Ok(json!({"accepted": count}))
    }

    async fn drain(&mut self, request: &Value) -> Result<Value, Failure> {
        let (count, end, slot) = (whole(request, "count")?, end(request)?, self.slot(request)?);
        let (mut received, mut digest, mut first, mut last) = (0, Sha256::new(), None, None);
        while received < count {
            let message = match slot.receive(left(end)).await {
                Err(Timeout) => break,
                message => message?,
            };
            let body = message.last().and_then(Msg::data).unwrap_or_default();
            digest.update((body.len() as u64).to_be_bytes());
            digest.update(body);
            last = body.first_chunk().map(|index| u64::from_be_bytes(*index));
            first = if received == 0 { last } else { first };
            received += 1;
        }
        let digest = hex::encode(digest.finalize());
        Ok(json!({"received": received, "digest": digest, "first": first, "last": last}))
    }

    async fn answer(&mut self, request: &Value) -> Result<Value, Failure> {
        let text = |field: &str| request[field].as_str().ok_or_else(|| Failed(field.into()));
        match text("op")? {
            "hello" => {
                return Ok(json!({
                    "peer": "rzmq", "library": "rzmq", "version": "0.5.28", "language": "Rust", "control": "1"
                }))
            }
            "open" => {
                let options = request["options"].as_object().cloned().unwrap_or_default();
                return self.open(text("type")?, &options).await;
            }
            "close" => {
                self.slot(request)?.socket.close().await?;
                self.slots.remove(&whole(request, "socket")?);
            }
            "set" => self.slot(request)?.set(text("option")?, &request["value"]).await?,
            "get" => return Ok(json!({"value": self.slot(request)?.get(text("option")?).await?})),
            "bind" => {
                let socket = &self.slot(request)?.socket;
                socket.bind(&text("endpoint")?.replace(":*", ":0")).await?;
                let bound = String::from_utf8(socket.get_option(options::LAST_ENDPOINT).await?)?;
                return Ok(json!({"endpoint": bound}));
            }
            "connect" => {
                self.slot(request)?.socket.connect(text("endpoint")?).await?;
                return Ok(json!({"endpoint": text("endpoint")?}));
            }
            "unbind" => self.slot(request)?.socket.unbind(text("endpoint")?).await?,
            "disconnect" => self.slot(request)?.socket.disconnect(text("endpoint")?).await?,
            "subscribe" | "cancel" => {
                let starts = request["op"] == "subscribe";
                let option = if starts { options::SUBSCRIBE } else { options::UNSUBSCRIBE };
                self.slot(request)?.socket.set_option(option, octets(&request["prefix"])?).await?;
            }
            "send" => {
                let end = end(request)?;
                let outcome = self.slot(request)?.send(parts(&request["parts"])?, end).await?;
                return Ok(json!({"outcome": outcome}));
            }
            "recv" => {
                let parts = self.slot(request)?.receive(left(end(request)?)).await?;
                let hex = |part: &Msg| hex::encode(part.data().unwrap_or_default());
                return Ok(json!({"parts": parts.iter().map(hex).collect::<Vec<_>>()}));
            }
            "poll" => return self.poll(request).await,
            "flood" => return self.flood(request).await,
            "drain" => return self.drain(request).await,
            "monitor" => {
                let slot = self.slot(request)?;
                if slot.events.is_none() {
                    slot.events = Some(slot.socket.monitor_default().await?);
                }
                return Ok(json!({"events": slot.watched()}));
            }
            unknown => return Err(Unsupported(unknown.into())),
        }
        Ok(json!({}))
    }
}

fn whole(request: &Value, field: &str) -> Result<u64, Failure> {
    request[field].as_u64().ok_or_else(|| Failed(field.into()))
}

fn end(request: &Value) -> Result<Instant, Failure> {
    Ok(Instant::now() + Duration::from_millis(whole(request, "timeout_ms")?))
}

/// What is left until then, rounded up to milliseconds: less than one would be "do not wait".
fn left(end: Instant) -> Duration {
    let left = end.saturating_duration_since(Instant::now());
    Duration::from_millis(left.as_micros().div_ceil(1000) as u64)
}

fn octets(value: &Value) -> Result<Vec<u8>, Failure> {
    Ok(hex::decode(value.as_str().unwrap_or_default())?)
}

fn parts(value: &Value) -> Result<Vec<Vec<u8>>, Failure> {
    value.as_array().into_iter().flatten().map(octets).collect()
}

#[tokio::main(worker_threads = 2)]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (mut input, mut output) = (tokio::io::BufReader::new(tokio::io::stdin()), tokio::io::stdout());
    let context = Context::new()?.with_blocky(false); // linger 0
    let (mut sockets, mut line) = (Sockets { context, slots: HashMap::new(), opened: 0 }, vec![]);
    while input.read_until(b'\n', &mut line).await? > 0 {
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
    std::process::exit(0) // standard input's thread would be waited for
}
