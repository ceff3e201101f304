//! Control protocol adapter: reads requests, asks library.rs, writes answers. It need not be changed.
//! It reports; it judges nothing.

mod library;

use std::collections::BTreeMap;
use std::io::{self, BufRead, Write};
use std::time::{Duration, Instant};

use library::{Failure, Outcome, Socket, Value};
use serde_json::{json, Map, Value as Json};
use sha2::{Digest, Sha256};

type Answer = Result<Json, Failure>;

fn failed(text: impl Into<String>) -> Failure {
    Failure::Failed(text.into())
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

fn octets(value: &Json) -> Result<Vec<u8>, Failure> {
    let text = value.as_str().ok_or_else(|| failed("octets are hex"))?;
    (0..text.len())
        .step_by(2)
        .map(|at| text.get(at..at + 2).and_then(|digits| u8::from_str_radix(digits, 16).ok()))
        .collect::<Option<_>>()
        .ok_or_else(|| failed("octets are hex"))
}

fn parts(value: &Json) -> Result<Vec<Vec<u8>>, Failure> {
    value.as_array().into_iter().flatten().map(octets).collect()
}

fn value(value: &Json) -> Result<Value, Failure> {
    match value {
        Json::Bool(flag) => Ok(Value::Flag(*flag)),
        Json::String(_) => Ok(Value::Octets(octets(value)?)),
        other => other.as_i64().map(Value::Number).ok_or_else(|| failed("an option's value")),
    }
}

fn text<'a>(request: &'a Json, field: &str) -> Result<&'a str, Failure> {
    request[field].as_str().ok_or_else(|| failed(format!("field {field}")))
}

fn number(request: &Json, field: &str) -> Result<u64, Failure> {
    request[field].as_u64().ok_or_else(|| failed(format!("field {field}")))
}

fn timeout(request: &Json) -> Result<Duration, Failure> {
    number(request, "timeout_ms").map(Duration::from_millis)
}

#[derive(Default)]
struct Adapter {
    sockets: BTreeMap<u64, Socket>,
    opened: u64,
}

impl Adapter {
    fn find(&mut self, number: u64) -> Result<&mut Socket, Failure> {
        self.sockets.get_mut(&number).ok_or_else(|| failed(format!("no open socket {number}")))
    }

    fn socket(&mut self, request: &Json) -> Result<&mut Socket, Failure> {
        self.find(number(request, "socket")?)
    }

    fn run(&mut self, op: &str, r: &Json) -> Answer {
        match op {
            "hello" => Ok(json!({"peer": "rust-zmq", "library": library::NAME, "version": library::version(),
                "language": "Rust", "control": "1"})),
            "open" => self.open(text(r, "type")?, r["options"].as_object().unwrap_or(&Map::new())),
            "close" => self.close(number(r, "socket")?),
            "set" => self.socket(r)?.set(text(r, "option")?, &value(&r["value"])?).map(done),
            "get" => self.socket(r)?.get(text(r, "option")?).map(|value| json!({"value": json_of(value)})),
            "bind" => self.socket(r)?.bind(text(r, "endpoint")?).map(|endpoint| json!({"endpoint": endpoint})),
            "connect" => self.socket(r)?.connect(text(r, "endpoint")?).map(|()| json!({"endpoint": r["endpoint"]})),
            "unbind" => self.socket(r)?.unbind(text(r, "endpoint")?).map(done),
            "disconnect" => self.socket(r)?.disconnect(text(r, "endpoint")?).map(done),
            "subscribe" => self.socket(r)?.subscribe(&octets(&r["prefix"])?).map(done),
            "cancel" => self.socket(r)?.cancel(&octets(&r["prefix"])?).map(done),
            "send" => {
                let outcome = self.socket(r)?.send(&parts(&r["parts"])?, timeout(r)?)?;
                Ok(json!({"outcome": outcome.word()}))
            }
            "recv" => {
                let message = self.socket(r)?.receive(timeout(r)?)?;
                Ok(json!({"parts": message.iter().map(|part| hex(part)).collect::<Vec<_>>()}))
            }
            "poll" => self.poll(r),
            "flood" => flood(self.socket(r)?, r),
            "drain" => drain(self.socket(r)?, r),
            "proxy" => self.proxy(number(r, "frontend")?, number(r, "backend")?),
            "monitor" => self.socket(r)?.monitor().map(|events| {
                let pair = |(event, endpoint): &(String, String)| json!({"event": event, "endpoint": endpoint});
                json!({"events": events.iter().map(pair).collect::<Vec<_>>()})
            }),
            _ => Err(Failure::Unsupported(op.into())),
        }
    }

    fn open(&mut self, socket_type: &str, named: &Map<String, Json>) -> Answer {
        let mut options = Vec::new();
        for (option, json) in named {
            options.push((option.clone(), value(json)?));
        }
        let socket = Socket::open(socket_type, &options)?;
        self.opened += 1;
        self.sockets.insert(self.opened, socket);
        Ok(json!({"socket": self.opened}))
    }

    fn close(&mut self, number: u64) -> Answer {
        self.find(number)?;
        self.sockets.remove(&number).map_or(Ok(()), Socket::close).map(done)
    }

    /// The library is asked about its own sockets, in this order; the answer has the numbers.
    fn poll(&mut self, r: &Json) -> Answer {
        let numbers: Vec<u64> = r["sockets"].as_array().into_iter().flatten().filter_map(Json::as_u64).collect();
        for number in &numbers {
            self.find(*number)?;
        }
        let asked: Vec<(u64, &mut Socket)> =
            self.sockets.iter_mut().filter(|(number, _)| numbers.contains(number)).map(|(n, s)| (*n, s)).collect();
        let (names, mut sockets): (Vec<u64>, Vec<&mut Socket>) = asked.into_iter().unzip();
        let ready = library::poll(&mut sockets, timeout(r)?)?;
        Ok(json!({"readable": ready.iter().map(|at| names[*at]).collect::<Vec<_>>()}))
    }

    fn proxy(&mut self, frontend: u64, backend: u64) -> Answer {
        self.find(frontend)?;
        self.find(backend)?;
        library::proxy(&mut self.sockets, frontend, backend).map(done)
    }
}

fn done(_: ()) -> Json {
    json!({})
}

fn json_of(value: Value) -> Json {
    match value {
        Value::Number(number) => json!(number),
        Value::Flag(flag) => json!(flag),
        Value::Octets(octets) => json!(hex(&octets)),
    }
}

/// Numbered messages at the library's own pace, until one is not accepted or the time is over.
fn flood(socket: &mut Socket, r: &Json) -> Answer {
    let (end, head) = (Instant::now() + timeout(r)?, parts(&r["head"])?);
    let (count, size, seed) = (number(r, "count")?, number(r, "size_octets")?, number(r, "seed")?);
    for index in 0..count {
        let mut body = index.to_be_bytes().to_vec();
        body.extend((8..size).map(|at| (seed + index + at) as u8));
        let mut message = head.clone();
        message.push(body);
        if socket.send(&message, end.saturating_duration_since(Instant::now()))? != Outcome::Accepted {
            return Ok(json!({"accepted": index}));
        }
    }
    Ok(json!({"accepted": count}))
}

/// A digest over the last parts of what comes, until there are enough or the time is over.
fn drain(socket: &mut Socket, r: &Json) -> Answer {
    let (end, count) = (Instant::now() + timeout(r)?, number(r, "count")?);
    let (mut digest, mut received, mut first, mut last) = (Sha256::new(), 0, None, None);
    while received < count {
        let message = match socket.receive(end.saturating_duration_since(Instant::now())) {
            Err(Failure::Timeout) => break,
            other => other?,
        };
        let body = message.last().ok_or_else(|| failed("a message without parts"))?;
        digest.update((body.len() as u64).to_be_bytes());
        digest.update(body);
        last = body.first_chunk::<8>().map(|head| u64::from_be_bytes(*head));
        if received == 0 {
            first = last;
        }
        received += 1;
    }
    Ok(json!({"received": received, "digest": hex(&digest.finalize()), "first": first, "last": last}))
}

fn answer(adapter: &mut Adapter, request: &Json) -> Json {
    let (kind, detail) = match adapter.run(request["op"].as_str().unwrap_or_default(), request) {
        Ok(ok) => return json!({"id": request["id"], "ok": ok}),
        Err(Failure::Unsupported(what)) => ("unsupported", what),
        Err(Failure::Timeout) => ("timeout", "nothing in time".into()),
        Err(Failure::Failed(why)) => ("failed", why.replace('\n', " ")),
    };
    json!({"id": request["id"], "error": {"kind": kind, "detail": detail}})
}

fn main() -> io::Result<()> {
    let (mut adapter, mut output) = (Adapter::default(), io::stdout());
    let (mut input, mut line) = (io::stdin().lock(), String::new());
    loop {
        library::wait(&adapter.sockets);
        line.clear();
        if input.read_line(&mut line)? == 0 {
            break;
        }
        let request: Json = serde_json::from_str(&line)?;
        writeln!(output, "{}", answer(&mut adapter, &request))?;
        output.flush()?;
    }
    for (_, socket) in adapter.sockets {
        let _ = socket.close();
    }
    Ok(())
}
