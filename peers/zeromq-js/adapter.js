// Control protocol adapter for libzmq, by way of zeromq.js. It reports; it judges nothing.
"use strict"

const crypto = require("node:crypto")
const fs = require("node:fs")
const zmq = require("zeromq")

const TYPES = {
  PAIR: zmq.Pair, PUB: zmq.Publisher, SUB: zmq.Subscriber, REQ: zmq.Request, REP: zmq.Reply,
  DEALER: zmq.Dealer, ROUTER: zmq.Router, PULL: zmq.Pull, PUSH: zmq.Push, XPUB: zmq.XPublisher,
  XSUB: zmq.XSubscriber,
}
const OPTIONS = {
  "identity": "routingId", "send-hwm": "sendHighWaterMark", "receive-hwm": "receiveHighWaterMark",
  "linger-ms": "linger", "mandatory": "mandatory", "handover": "handover",
  "heartbeat-interval-ms": "heartbeatInterval", "heartbeat-timeout-ms": "heartbeatTimeout",
  "heartbeat-ttl-ms": "heartbeatTimeToLive", "max-message-octets": "maxMessageSize",
  "handshake-interval-ms": "handshakeInterval", "conflate": "conflate", "immediate": "immediate",
  "reconnect-interval-ms": "reconnectInterval", "xpub-verbose": "verbosity", "probe-router": "probeRouter",
  "req-relaxed": "relaxed", "req-correlate": "correlate", "plain-server": "plainServer",
  "plain-username": "plainUsername", "plain-password": "plainPassword", "plain-passwords": "zapDomain",
  "curve-server": "curveServer", "curve-public-key": "curvePublicKey", "curve-secret-key": "curveSecretKey",
  "curve-server-key": "curveServerKey", "zap-domain": "zapDomain",
}
const TEXTS = new Set(["identity", "plain-username", "plain-password"])
const OUTCOMES = { EAGAIN: "would-block", EHOSTUNREACH: "unroutable", EFSM: "refused", ENOTSUP: "refused" }
const EVENTS = {
  "accept": "accepted", "accept:error": "accept-failed", "bind": "listening", "bind:error": "bind-failed",
  "connect": "connected", "connect:delay": "connect-delayed", "connect:retry": "connect-retried",
  "close": "closed", "close:error": "close-failed", "disconnect": "disconnected",
  "handshake": "handshake-succeeded", "handshake:error:protocol": "handshake-failed-protocol",
  "handshake:error:auth": "handshake-failed-auth", "handshake:error:other": "handshake-failed-no-detail",
}
const ZAP = "inproc://zeromq.zap.01"
const Z85 = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#"
const TICK_MS = 2 // zeromq.js keeps libzmq's descriptor to itself

const sockets = new Map()
const watches = new Map()
const proxies = new Map()
const elsewhere = new Set() // sockets that the binding binds or unbinds on another thread: not to be touched
const passwords = new Map() // by the ZAP domain of their socket
const atZap = new Set() // sockets that answer ZAP's requests for the harness
let opened = 0
let handler = null // the one that looks into `passwords`, while there are any
let answering = null

class Unsupported extends Error {}

const octets = hex => Buffer.from(hex, "hex")
const leftMs = end => Math.max(0, Math.ceil(end - performance.now()))

function find(number) {
  if (!sockets.has(number)) throw new Error(`no socket ${number}`)
  return sockets.get(number)
}

function property(socket, option) {
  const name = OPTIONS[option]
  if (!name || !(name in socket)) throw new Unsupported(option)
  return name
}

// zeromq.js takes an identity and credentials as text only, and sends them as UTF-8.
function text(hex) {
  const value = octets(hex).toString("utf8")
  if (Buffer.from(value, "utf8").toString("hex") !== hex) throw new Unsupported("octets that are not UTF-8")
  return value
}

// And keys as text of Z85 only.
function z85(hex) {
  const digits = [4, 3, 2, 1, 0].map(place => 85 ** place)
  const key = octets(hex)
  const values = Array.from({ length: key.length / 4 }, (_, at) => key.readUInt32BE(at * 4))
  return values.flatMap(value => digits.map(unit => Z85[Math.floor(value / unit) % 85])).join("")
}

function set(number, option, value) {
  const name = property(find(number), option)
  const as = {
    "identity": text, "plain-username": text, "plain-password": text, "zap-domain": text,
    "curve-public-key": z85, "curve-secret-key": z85, "curve-server-key": z85,
    "xpub-verbose": on => (on ? "allSubs" : null), "plain-passwords": pairs => letIn(number, pairs),
  }
  find(number)[name] = as[option] ? as[option](value) : value
}

// The check that libzmq leaves to its application (ZAP, RFC 27): a domain for each socket. Of CURVE every
// client's key is good.
function letIn(number, pairs) {
  const domain = `socket ${number}`
  passwords.set(domain, pairs.map(String))
  if (!handler) {
    handler = new zmq.Reply({ linger: 0 })
    handler.bindSync(ZAP)
  }
  return domain
}

async function answerZap(zap) {
  while (zap.readable) {
    const [version, id, domain, , , mechanism, ...credentials] = await zap.receive()
    const given = String(credentials.map(part => part.toString("hex")))
    const good = String(mechanism) === "CURVE" || passwords.get(String(domain))?.includes(given)
    await zap.send([version, id, good ? "200" : "400", "", "", ""])
  }
}

// A socket with a list is gone; without any, ZAP's endpoint is free for others.
async function forget(number) {
  if (!passwords.delete(`socket ${number}`) || passwords.size) return
  const zap = handler
  handler = null
  await answering
  await leaveZap(zap)
  zap.close()
}

function leaveZap(socket) {
  return leaveAlone(socket, () => socket.unbind(ZAP))
}

function get(number, option) {
  const value = find(number)[property(find(number), option)]
  return { value: TEXTS.has(option) ? Buffer.from(value ?? "", "utf8").toString("hex") : value }
}

async function open(type, options) {
  if (!TYPES[type]) throw new Unsupported(type)
  const number = ++opened
  sockets.set(number, new TYPES[type]({ linger: 0 }))
  try {
    for (const [option, value] of Object.entries(options)) set(number, option, value)
  } catch (error) {
    await close(number)
    throw error
  }
  return { socket: number }
}

async function close(number) {
  const socket = find(number)
  sockets.delete(number)
  watches.delete(number)
  await forget(number)
  if (atZap.delete(socket)) await leaveZap(socket)
  if (!proxies.has(socket)) return socket.close()
  const { forwarder, done } = proxies.get(socket)
  forwarder.terminate()
  return done.then(() => socket.close())
}

async function bind(number, endpoint) {
  const socket = find(number)
  socket.ipv6 = endpoint.includes("[")
  await leaveAlone(socket, () => socket.bind(endpoint))
  if (endpoint === ZAP) atZap.add(socket)
  return { endpoint: socket.lastEndpoint }
}

function connect(number, endpoint) {
  const socket = find(number)
  socket.ipv6 = endpoint.includes("[")
  socket.connect(endpoint)
  return { endpoint }
}

async function leaveAlone(socket, act) {
  elsewhere.add(socket)
  try {
    await act()
  } finally {
    elsewhere.delete(socket)
  }
}

function subscribe(number, prefix, starts) {
  const socket = find(number)
  if (socket instanceof zmq.XSubscriber) return socket.send(Buffer.concat([Buffer.from([starts]), octets(prefix)]))
  return starts ? socket.subscribe(octets(prefix)) : socket.unsubscribe(octets(prefix))
}

async function send(number, parts, timeoutMs) {
  const socket = find(number)
  if (!("sendTimeout" in socket)) return "refused"
  try {
    await patiently(timeoutMs, left => {
      socket.sendTimeout = left
      return socket.send(parts)
    })
  } catch (error) {
    if (!OUTCOMES[error.code]) throw error
    return OUTCOMES[error.code]
  }
  return "accepted"
}

async function receive(number, timeoutMs) {
  const socket = find(number)
  if (!("receiveTimeout" in socket)) throw new Error("this type of socket cannot receive")
  return patiently(timeoutMs, left => {
    socket.receiveTimeout = left
    return socket.receive()
  })
}

// The binding gives up with EAGAIN before its timeout where libzmq wakes it for nothing, such as a message that
// it then drops: whoever is to wait asks again for the time that is left.
async function patiently(timeoutMs, act) {
  const end = performance.now() + timeoutMs
  for (;;) {
    try {
      return await act(leftMs(end))
    } catch (error) {
      if (error.code !== "EAGAIN" || performance.now() >= end) throw error
    }
  }
}

async function poll(numbers, timeoutMs) {
  const end = performance.now() + timeoutMs
  for (;;) {
    const readable = numbers.filter(number => find(number).readable)
    if (readable.length || performance.now() >= end) return { readable }
    await new Promise(resolve => setTimeout(resolve, TICK_MS))
  }
}

async function flood({ socket, count, size_octets, seed, timeout_ms, head = [] }) {
  const end = performance.now() + timeout_ms
  for (let index = 0; index < count; index++) {
    const body = Buffer.alloc(size_octets)
    body.writeBigUInt64BE(BigInt(index))
    for (let at = 8; at < size_octets; at++) body[at] = (seed + index + at) % 256
    const outcome = await send(socket, [...head.map(octets), body], leftMs(end))
    if (outcome !== "accepted") return { accepted: index }
  }
  return { accepted: count }
}

async function drain({ socket, count, timeout_ms }) {
  const [end, digest, seen] = [performance.now() + timeout_ms, crypto.createHash("sha256"), []]
  while (seen.length < count) {
    try {
      const body = (await receive(socket, leftMs(end))).at(-1)
      const length = Buffer.alloc(8)
      length.writeBigUInt64BE(BigInt(body.length))
      digest.update(length).update(body)
      seen.push(body.length < 8 ? null : Number(body.readBigUInt64BE()))
    } catch (error) {
      if (error.code !== "EAGAIN") throw error
      break
    }
  }
  return { received: seen.length, digest: digest.digest("hex"), first: seen[0] ?? null, last: seen.at(-1) ?? null }
}

function proxy(frontend, backend) {
  const both = [find(frontend), find(backend)]
  const forwarder = new zmq.Proxy(...both)
  const done = forwarder.run().catch(console.error).finally(() => both.forEach(socket => proxies.delete(socket)))
  both.forEach(socket => proxies.set(socket, { forwarder, done }))
}

function monitor(number) {
  const socket = find(number)
  if (!watches.has(number)) {
    watches.set(number, [])
    const note = (event, details) => watches.get(number).push({ event, endpoint: details.address ?? "" })
    for (const [name, event] of Object.entries(EVENTS)) socket.events.on(name, details => note(event, details))
  }
  return { events: watches.get(number).splice(0) }
}

const version = JSON.parse(fs.readFileSync(`${__dirname}/node_modules/zeromq/package.json`)).version
const OPERATIONS = {
  hello: () => ({
    peer: "zeromq-js", library: "libzmq", version: `${zmq.version} (zeromq.js ${version})`,
    language: "JavaScript", control: "1",
  }),
  open: r => open(r.type, r.options),
  close: async r => void (await close(r.socket)),
  set: r => set(r.socket, r.option, r.value),
  get: r => get(r.socket, r.option),
  bind: r => bind(r.socket, r.endpoint),
  connect: r => connect(r.socket, r.endpoint),
  unbind: r => leaveAlone(find(r.socket), () => find(r.socket).unbind(r.endpoint)),
  disconnect: r => find(r.socket).disconnect(r.endpoint),
  subscribe: r => subscribe(r.socket, r.prefix, true),
  cancel: r => subscribe(r.socket, r.prefix, false),
  send: async r => ({ outcome: await send(r.socket, r.parts.map(octets), r.timeout_ms) }),
  recv: async r => ({ parts: (await receive(r.socket, r.timeout_ms)).map(part => part.toString("hex")) }),
  poll: r => poll(r.sockets, r.timeout_ms),
  flood, drain,
  proxy: r => proxy(r.frontend, r.backend),
  monitor: r => monitor(r.socket),
}

async function answer(request) {
  try {
    if (!Object.hasOwn(OPERATIONS, request.op)) throw new Unsupported(request.op)
    return { id: request.id, ok: (await OPERATIONS[request.op](request)) ?? {} }
  } catch (error) {
    const kind = error instanceof Unsupported ? "unsupported" : error.code === "EAGAIN" ? "timeout" : "failed"
    return { id: request.id, error: { kind, detail: String(error.message) } }
  }
}

let chunks = []
process.stdin.on("data", async chunk => {
  chunks.push(chunk)
  if (chunk.at(-1) !== 10) return
  const line = Buffer.concat(chunks)
  chunks = []
  process.stdout.write(JSON.stringify(await answer(JSON.parse(line))) + "\n")
})
process.stdin.on("end", () => process.exit(0))
// Reading EVENTS lets libzmq do its work while no request is being answered.
function touch() {
  sockets.forEach(socket => proxies.has(socket) || elsewhere.has(socket) || socket.readable)
  if (handler && !answering) answering = answerZap(handler).finally(() => (answering = null))
}

setInterval(touch, TICK_MS)
