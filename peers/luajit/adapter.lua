-- Control protocol adapter for libzmq, by LuaJIT's FFI alone. It reports; it judges nothing.

local ffi, bit, json = require "ffi", require "bit", require "cjson"

ffi.cdef [[
typedef struct { unsigned char octets[64] __attribute__((aligned(8))); } zmq_msg_t;
void zmq_version(int *major, int *minor, int *patch);
int zmq_errno(void);
const char *zmq_strerror(int error);
void *zmq_ctx_new(void);
int zmq_ctx_term(void *context);
void *zmq_socket(void *context, int type);
int zmq_close(void *socket);
int zmq_setsockopt(void *socket, int option, const void *value, size_t size);
int zmq_getsockopt(void *socket, int option, void *value, size_t *size);
int zmq_bind(void *socket, const char *endpoint);
int zmq_connect(void *socket, const char *endpoint);
int zmq_unbind(void *socket, const char *endpoint);
int zmq_disconnect(void *socket, const char *endpoint);
int zmq_socket_monitor(void *socket, const char *endpoint, int events);
int zmq_send(void *socket, const void *octets, size_t size, int flags);
int zmq_msg_init(zmq_msg_t *part);
int zmq_msg_recv(zmq_msg_t *part, void *socket, int flags);
int zmq_msg_more(const zmq_msg_t *part);
void *zmq_msg_data(zmq_msg_t *part);
size_t zmq_msg_size(const zmq_msg_t *part);
int zmq_msg_close(zmq_msg_t *part);

typedef struct { uint64_t state[8], count[2]; uint8_t buffer[128]; } SHA2_CTX;
void SHA256Init(SHA2_CTX *sum);
void SHA256Update(SHA2_CTX *sum, const void *octets, size_t size);
char *SHA256End(SHA2_CTX *sum, char *digest);

typedef struct { int descriptor; short events, found; } pollfd;
typedef struct { long s, ns; } timespec;
int poll(pollfd *items, unsigned long count, int timeout_ms);
int clock_gettime(int clock, timespec *now);
long read(int descriptor, void *octets, size_t size);
]]

local C, zmq, md = ffi.C, ffi.load("libzmq.so.5"), ffi.load("libmd.so.0")

local TYPES = { PAIR = 0, PUB = 1, SUB = 2, REQ = 3, REP = 4, DEALER = 5, ROUTER = 6, PULL = 7, PUSH = 8,
  XPUB = 9, XSUB = 10 }
local FLAG, NUMBER, WIDE, OCTETS = 1, 2, 3, 4
local OPTIONS = {
  ["identity"] = { 5, OCTETS }, ["linger-ms"] = { 17, NUMBER }, ["reconnect-interval-ms"] = { 18, NUMBER },
  ["max-message-octets"] = { 22, WIDE }, ["send-hwm"] = { 23, NUMBER }, ["receive-hwm"] = { 24, NUMBER },
  ["mandatory"] = { 33, FLAG }, ["immediate"] = { 39, FLAG }, ["xpub-verbose"] = { 40, FLAG },
  ["probe-router"] = { 51, FLAG }, ["req-correlate"] = { 52, FLAG }, ["req-relaxed"] = { 53, FLAG },
  ["conflate"] = { 54, FLAG }, ["handover"] = { 56, FLAG }, ["handshake-interval-ms"] = { 66, NUMBER },
  ["heartbeat-interval-ms"] = { 75, NUMBER }, ["heartbeat-ttl-ms"] = { 76, NUMBER },
  ["heartbeat-timeout-ms"] = { 77, NUMBER },
}
local SUBSCRIBE, UNSUBSCRIBE, FD, EVENTS, LINGER, LAST_ENDPOINT, IPV6 = 6, 7, 14, 15, 17, 32, 42
local DONTWAIT, SNDMORE, POLLIN, POLLOUT = 1, 2, 1, 2
local EAGAIN, ENOTSUP, EHOSTUNREACH, EFSM = 11, 95, 113, 156384763
local OUTCOMES = { [EAGAIN] = "would-block", [EHOSTUNREACH] = "unroutable", [EFSM] = "refused",
  [ENOTSUP] = "refused" }
local EVENT_NAMES = { "connected", "connect-delayed", "connect-retried", "listening", "bind-failed", "accepted",
  "accept-failed", "closed", "close-failed", "disconnected", "monitor-stopped", "handshake-failed-no-detail",
  "handshake-succeeded", "handshake-failed-protocol", "handshake-failed-auth" }
local READ_OCTETS, FORWARDED_AT_ONCE, HOUR_MS = 65536, 1000, 3600000

local context = zmq.zmq_ctx_new()
local entries, opened, lingers = {}, 0, false -- lingers: a socket was closed that may go on sending

local function fail(kind, detail)
  error({ kind = kind, detail = detail }, 0)
end

local function library_failed(code)
  fail(code == EAGAIN and "timeout" or "failed", ffi.string(zmq.zmq_strerror(code)))
end

local function check(status)
  if status == -1 then library_failed(zmq.zmq_errno()) end
end

local HEX, OCTET = {}, {}
for octet = 0, 255 do
  local text = ("%02x"):format(octet)
  HEX[string.char(octet)], OCTET[text] = text, string.char(octet)
end

local function hex(octets)
  return (octets:gsub(".", HEX))
end

local function octets(text)
  local value, pairs_of_digits = text:gsub("[%da-f][%da-f]", OCTET)
  if 2 * pairs_of_digits ~= #text then fail("failed", "octets are hex") end
  return value
end

local function all_octets(list)
  local values = {}
  for index, text in ipairs(list or {}) do values[index] = octets(text) end
  return values
end

local now = ffi.new("timespec")
local function now_ms()
  C.clock_gettime(1, now)
  return tonumber(now.s) * 1000 + tonumber(now.ns) / 1e6
end

-- Options: a number is an int, or an int64_t where the library has it so.

local function get_number(socket, option, wide)
  local value, size = ffi.new(wide and "int64_t[1]" or "int[1]"), ffi.new("size_t[1]", wide and 8 or 4)
  check(zmq.zmq_getsockopt(socket, option, value, size))
  return tonumber(value[0])
end

local function set_number(socket, option, number, wide)
  check(zmq.zmq_setsockopt(socket, option, ffi.new(wide and "int64_t[1]" or "int[1]", number), wide and 8 or 4))
end

local function get_octets(socket, option)
  local value, size = ffi.new("char[1024]"), ffi.new("size_t[1]", 1024)
  check(zmq.zmq_getsockopt(socket, option, value, size))
  return ffi.string(value, size[0])
end

local function option_of(name)
  if not OPTIONS[name] then fail("unsupported", "option " .. name) end
  return unpack(OPTIONS[name])
end

local function set_option(socket, name, value)
  local number, kind = option_of(name)
  if kind == OCTETS then
    check(zmq.zmq_setsockopt(socket, number, octets(value), #value / 2))
  elseif kind == FLAG then
    set_number(socket, number, value and 1 or 0)
  else
    set_number(socket, number, value, kind == WIDE)
  end
end

local function get_option(socket, name)
  local number, kind = option_of(name)
  if kind == OCTETS then return hex(get_octets(socket, number)) end
  local value = get_number(socket, number, kind == WIDE)
  if kind == FLAG then return value ~= 0 end
  return value
end

-- One whole message now, or the error's number.

local function send_now(socket, parts)
  for index = parts.sent + 1, #parts do
    local flags = index < #parts and DONTWAIT + SNDMORE or DONTWAIT
    local part = parts[index]
    local size = parts.body_octets and index == #parts and parts.body_octets or #part
    if zmq.zmq_send(socket, part, size, flags) == -1 then return nil, zmq.zmq_errno() end
    parts.sent = index
  end
  return true
end

local message = ffi.new("zmq_msg_t")
local function receive_now(socket)
  local parts, more = {}, true
  while more do
    zmq.zmq_msg_init(message)
    if zmq.zmq_msg_recv(message, socket, DONTWAIT) == -1 then return nil, zmq.zmq_errno() end
    parts[#parts + 1] = ffi.string(zmq.zmq_msg_data(message), zmq.zmq_msg_size(message))
    more = zmq.zmq_msg_more(message) ~= 0
    zmq.zmq_msg_close(message)
  end
  return parts
end

-- What waits at one end of a proxy goes out at the other. A Lua program has one thread, so libzmq's own proxy,
-- which keeps the thread that calls it, is none for it.
local function forward(from, to)
  for _ = 1, FORWARDED_AT_ONCE do
    if bit.band(get_number(from, EVENTS), POLLIN) == 0 or bit.band(get_number(to, EVENTS), POLLOUT) == 0 then
      return false
    end
    local parts = receive_now(from)
    if not parts then return false end
    parts.sent = 0
    send_now(to, parts)
  end
  return true
end

-- Let libzmq work: its descriptors tell of news once, until EVENTS is read. True if a proxy has more to do.
local function serve()
  local busy = false
  for _, entry in pairs(entries) do get_number(entry.socket, EVENTS) end
  for _, entry in pairs(entries) do
    if entry.partner then busy = forward(entry.socket, entry.partner.socket) or busy end
  end
  return busy
end

-- Wait for news of a socket or, if asked for, standard input; true if there is input. -1 ms: without end.
local function await(input, timeout_ms)
  local items, count = ffi.new("pollfd[?]", opened + 1), 1
  items[0].descriptor, items[0].events = input and 0 or -1, 1
  for _, entry in pairs(entries) do
    items[count].descriptor, items[count].events = entry.descriptor, 1
    count = count + 1
  end
  return C.poll(items, count, math.min(math.ceil(timeout_ms), HOUR_MS)) > 0 and items[0].found ~= 0
end

-- Act as soon as that is not answered by EAGAIN, until the end; all sockets are served meanwhile.
local function patiently(act, socket, what, end_ms)
  while true do
    local result, code = act(socket, what)
    if result or code ~= EAGAIN then return result, code end
    local busy = serve()
    result, code = act(socket, what)
    local left_ms = end_ms - now_ms()
    if result or code ~= EAGAIN or left_ms <= 0 then return result, code end
    await(false, busy and 0 or left_ms)
  end
end

local function offer(socket, parts, end_ms)
  parts.sent = 0
  local accepted, code = patiently(send_now, socket, parts, end_ms)
  if accepted then return "accepted" end
  if not OUTCOMES[code] then library_failed(code) end
  return OUTCOMES[code]
end

-- Operations.

local function find(number)
  if not entries[number] then fail("failed", "no open socket " .. tostring(number)) end
  return entries[number]
end

local function end_of(request)
  return now_ms() + request.timeout_ms
end

-- An empty table is an object to lua-cjson: a list without members is written by way of this text.
local EMPTY_LIST = "\0 an empty list"
local EMPTY_LIST_ENCODED = json.encode(EMPTY_LIST):gsub("%p", "%%%0")

local function list(values)
  return #values > 0 and values or EMPTY_LIST
end

local function encoded(value)
  return (json.encode(value):gsub(EMPTY_LIST_ENCODED, "[]"))
end

local function attach(request, act)
  local socket = find(request.socket).socket
  set_number(socket, IPV6, request.endpoint:find("[", 1, true) and 1 or 0)
  check(act(socket, request.endpoint))
  return socket
end

local function close(number, at_once)
  local entry = find(number)
  if entry.partner then entry.partner.partner = nil end
  if entry.watch then
    zmq.zmq_socket_monitor(entry.socket, nil, 0)
    zmq.zmq_close(entry.watch)
  end
  if at_once then set_number(entry.socket, LINGER, 0) end
  lingers = lingers or get_number(entry.socket, LINGER) ~= 0
  zmq.zmq_close(entry.socket)
  entries[number] = nil
end

-- On XSUB subscriptions are messages.
local function subscribe(request, option, octet)
  local entry, prefix = find(request.socket), octets(request.prefix)
  if entry.type == TYPES.XSUB then
    local whole = octet .. prefix
    check(zmq.zmq_send(entry.socket, whole, #whole, DONTWAIT))
  else
    check(zmq.zmq_setsockopt(entry.socket, option, prefix, #prefix))
  end
end

-- The number in a body's first 8 octets; null for a shorter body, or one that flood cannot have made.
local function index_in(body)
  local number = 0
  for at = 1, math.min(8, #body) do number = number * 256 + body:byte(at) end
  return #body >= 8 and number < 2 ^ 46 and number or json.null
end

local function big_endian(number)
  local text = ""
  for _ = 1, 8 do
    text = string.char(number % 256) .. text
    number = math.floor(number / 256)
  end
  return text
end

local operations = {}

function operations.hello()
  local version = ffi.new("int[3]")
  zmq.zmq_version(version, version + 1, version + 2)
  local text = ("%d.%d.%d (%s)"):format(version[0], version[1], version[2], jit.version)
  return { peer = "luajit", library = "libzmq", version = text, language = "Lua", control = "1" }
end

function operations.open(request)
  local type = TYPES[request.type]
  if not type then fail("unsupported", "socket type " .. request.type) end
  local socket = zmq.zmq_socket(context, type)
  if socket == nil then library_failed(zmq.zmq_errno()) end
  set_number(socket, LINGER, 0)
  for name, value in pairs(request.options) do
    local set, reason = pcall(set_option, socket, name, value)
    if not set then
      zmq.zmq_close(socket)
      error(reason, 0)
    end
  end
  opened = opened + 1
  entries[opened] = { socket = socket, type = type, descriptor = get_number(socket, FD) }
  return { socket = opened }
end

function operations.close(request)
  close(request.socket, false)
end

function operations.set(request)
  set_option(find(request.socket).socket, request.option, request.value)
end

function operations.get(request)
  return { value = get_option(find(request.socket).socket, request.option) }
end

function operations.bind(request)
  local socket = attach(request, zmq.zmq_bind)
  return { endpoint = (get_octets(socket, LAST_ENDPOINT):gsub("%z", "")) }
end

function operations.connect(request)
  attach(request, zmq.zmq_connect)
  return { endpoint = request.endpoint }
end

function operations.unbind(request)
  check(zmq.zmq_unbind(find(request.socket).socket, request.endpoint))
end

function operations.disconnect(request)
  check(zmq.zmq_disconnect(find(request.socket).socket, request.endpoint))
end

function operations.subscribe(request)
  subscribe(request, SUBSCRIBE, "\1")
end

function operations.cancel(request)
  subscribe(request, UNSUBSCRIBE, "\0")
end

function operations.send(request)
  return { outcome = offer(find(request.socket).socket, all_octets(request.parts), end_of(request)) }
end

function operations.recv(request)
  local parts, code = patiently(receive_now, find(request.socket).socket, nil, end_of(request))
  if not parts then library_failed(code) end
  for index, part in ipairs(parts) do parts[index] = hex(part) end
  return { parts = parts }
end

function operations.poll(request)
  for _, number in ipairs(request.sockets) do find(number) end
  local function act()
    local readable = {}
    for _, number in ipairs(request.sockets) do
      if bit.band(get_number(entries[number].socket, EVENTS), POLLIN) ~= 0 then
        readable[#readable + 1] = number
      end
    end
    return #readable > 0 and readable or nil, EAGAIN
  end
  return { readable = list(patiently(act, nil, nil, end_of(request)) or {}) }
end

function operations.flood(request)
  local socket, end_ms, size = find(request.socket).socket, end_of(request), request.size_octets
  local head, body = all_octets(request.head), ffi.new("uint8_t[?]", size)
  for index = 0, request.count - 1 do
    ffi.copy(body, big_endian(index), 8)
    for at = 8, size - 1 do body[at] = bit.band(request.seed + index + at, 255) end
    local parts = { unpack(head) }
    parts[#parts + 1], parts.body_octets = body, size
    if offer(socket, parts, end_ms) ~= "accepted" then return { accepted = index } end
  end
  return { accepted = request.count }
end

function operations.drain(request)
  local socket, end_ms = find(request.socket).socket, end_of(request)
  local received, first, last = 0, json.null, json.null
  local sum, digest = ffi.new("SHA2_CTX"), ffi.new("char[65]")
  md.SHA256Init(sum)
  while received < request.count do
    local parts, code = patiently(receive_now, socket, nil, end_ms)
    if not parts then
      if code ~= EAGAIN then library_failed(code) end
      break
    end
    local body = parts[#parts]
    md.SHA256Update(sum, big_endian(#body), 8)
    md.SHA256Update(sum, body, #body)
    last = index_in(body)
    if received == 0 then first = last end
    received = received + 1
  end
  md.SHA256End(sum, digest)
  return { received = received, digest = ffi.string(digest, 64), first = first, last = last }
end

function operations.proxy(request)
  local frontend, backend = find(request.frontend), find(request.backend)
  frontend.partner, backend.partner = backend, frontend
end

function operations.monitor(request)
  local entry, events = find(request.socket), {}
  if not entry.watch then
    local endpoint = "inproc://monitor-" .. request.socket
    check(zmq.zmq_socket_monitor(entry.socket, endpoint, 0xffff))
    entry.watch = zmq.zmq_socket(context, TYPES.PAIR)
    set_number(entry.watch, LINGER, 0)
    check(zmq.zmq_connect(entry.watch, endpoint))
  end
  for parts in function() return (receive_now(entry.watch)) end do
    local number = ffi.cast("const uint16_t *", parts[1])[0]
    local value = ffi.cast("const int32_t *", ffi.cast("const char *", parts[1]) + 2)[0]
    local name = "unknown"
    for place, one in ipairs(EVENT_NAMES) do
      if number == bit.lshift(1, place - 1) then name = one end
    end
    events[#events + 1] = { event = name, endpoint = parts[2], value = value }
  end
  return { events = list(events) }
end

local function answer(line)
  local request = json.decode(line)
  local operation = operations[request.op]
  if not operation then
    return { id = request.id, error = { kind = "unsupported", detail = tostring(request.op) } }
  end
  local done, result = pcall(operation, request)
  if done then return { id = request.id, ok = result or {} } end
  if type(result) ~= "table" then result = { kind = "failed", detail = tostring(result) } end
  return { id = request.id, error = result }
end

-- Read what there is and answer the requests that are whole; false at the end of input.
local buffer, chunks = ffi.new("char[?]", READ_OCTETS), {}
local function take_input()
  local count = tonumber(C.read(0, buffer, READ_OCTETS))
  if count <= 0 then return false end
  local chunk = ffi.string(buffer, count)
  chunks[#chunks + 1] = chunk
  if chunk:find("\n", 1, true) then
    local text, start = table.concat(chunks), 1
    for stop in function() return text:find("\n", start, true) end do
      io.stdout:write(encoded(answer(text:sub(start, stop - 1))), "\n")
      io.stdout:flush()
      start = stop + 1
    end
    chunks = { text:sub(start) }
  end
  return true
end

-- Answer requests until the end of input; in between libzmq works whenever it has news.
local open = true
while open do
  local busy = serve()
  if await(true, busy and 0 or -1) then open = take_input() end
end
for number in pairs(entries) do close(number, true) end
if not lingers then zmq.zmq_ctx_term(context) end
os.exit(#table.concat(chunks) == 0 and 0 or 1)
