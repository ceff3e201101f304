# Control protocol adapter for libzmq, by way of pbdZMQ. It reports; it judges nothing.
suppressPackageStartupMessages(library(pbdZMQ))
library(jsonlite, include.only = c("parse_json", "toJSON"))
library(processx, include.only = c("conn_create_fd", "conn_is_incomplete", "conn_read_chars", "curl_fds"))

SO <- ZMQ.SO()
DONTWAIT <- ZMQ.SR()$DONTWAIT
TYPES <- ZMQ.ST()[c("PAIR", "PUB", "SUB", "REQ", "REP", "DEALER", "ROUTER", "PULL", "PUSH", "XPUB", "XSUB")]
FLAGS <- list(
  "mandatory" = SO$ROUTER_MANDATORY, "handover" = SO$ROUTER_HANDOVER, "conflate" = SO$CONFLATE,
  "immediate" = SO$IMMEDIATE, "xpub-verbose" = SO$XPUB_VERBOSE, "probe-router" = SO$PROBE_ROUTER,
  "req-relaxed" = SO$REQ_RELAXED, "req-correlate" = SO$REQ_CORRELATE,
  "plain-server" = SO$PLAIN_SERVER, "curve-server" = SO$CURVE_SERVER
)
TEXTS <- list("identity" = SO$IDENTITY, "plain-username" = SO$PLAIN_USERNAME, "plain-password" = SO$PLAIN_PASSWORD)
KEYS <- list(
  "curve-public-key" = SO$CURVE_PUBLICKEY, "curve-secret-key" = SO$CURVE_SECRETKEY,
  "curve-server-key" = SO$CURVE_SERVERKEY
)
OPTIONS <- c(FLAGS, TEXTS, KEYS, list( # what pbdZMQ sets are texts and ints: ZMQ_MAXMSGSIZE, an int64_t, is out of reach
  "send-hwm" = SO$SNDHWM, "receive-hwm" = SO$RCVHWM, "linger-ms" = SO$LINGER,
  "heartbeat-interval-ms" = SO$HEARTBEAT_IVL, "heartbeat-timeout-ms" = SO$HEARTBEAT_TIMEOUT,
  "heartbeat-ttl-ms" = SO$HEARTBEAT_TTL, "handshake-interval-ms" = SO$HANDSHAKE_IVL,
  "reconnect-interval-ms" = SO$RECONNECT_IVL, "plain-passwords" = SO$ZAP_DOMAIN
))
EAGAIN <- "11"
OUTCOMES <- list("11" = "would-block", "113" = "unroutable", "156384763" = "refused", "95" = "refused")
DIGITS <- charToRaw("0123456789abcdef")
Z85 <- charToRaw("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#")
VALUES <- replace(integer(255), as.integer(DIGITS), 0:15)
NOTHING <- setNames(list(), character())
STRICT <- ZMQ.MC(warning.at.error = FALSE, stop.at.error = TRUE)

context <- zmq.ctx.new()
sockets <- list()
handlers <- list() # of ZAP: one, once a socket has passwords
passwords <- list() # by the ZAP domain of their socket
opened <- 0L
printed <- file("", "w+") # what pbdZMQ prints: the errors of libzmq, which it tells nowhere else

`%||%` <- function(value, otherwise) if (is.null(value)) otherwise else value

refuse <- function(kind, detail) {
  stop(structure(class = c("refusal", "error", "condition"), list(message = detail, call = NULL, kind = kind)))
}

# What pbdZMQ has printed since the last time: NULL, or the last error's number and words.
trouble <- function() {
  lines <- readLines(printed)
  line <- lines[length(lines)]
  if (length(line)) list(errno = sub(".*errno: ([0-9]+) .*", "\\1", line), words = sub(".*strerror: ", "", line))
}

find <- function(number) sockets[[as.character(number)]] %||% refuse("failed", paste("no socket", number))

octets <- function(hex) {
  digits <- matrix(VALUES[as.integer(charToRaw(hex))], nrow = 2)
  as.raw(digits[1, ] * 16L + digits[2, ])
}

hex <- function(octets) {
  numbers <- as.integer(octets)
  rawToChar(DIGITS[rbind(numbers %/% 16L, numbers %% 16L) + 1L])
}

# What pbdZMQ takes for octets is a text; R's cannot hold 00, and rawToChar drops it at the end without a word.
as_text <- function(octets) {
  if (any(octets == 0)) refuse("failed", "embedded nul in string")
  rawToChar(octets)
}

# A key as a text: that is Z85.
as_z85 <- function(key) {
  words <- colSums(matrix(as.integer(key), nrow = 4) * 256^(3:0))
  rawToChar(Z85[outer(85^(4:0), words, function(power, word) word %/% power %% 85) + 1])
}

# The number that octets 0 to 7 are, in full: R's own numbers have 53 bits.
as_number <- function(body) {
  if (length(body) < 8) return(NULL)
  left <- as.integer(body[1:8])
  digits <- ""
  repeat {
    rest <- 0L
    for (i in 1:8) {
      dividend <- rest * 256L + left[i]
      left[i] <- dividend %/% 10L
      rest <- dividend %% 10L
    }
    digits <- paste0(rest, digits)
    if (all(left == 0L)) return(structure(digits, class = "json"))
  }
}

now <- function() proc.time()[["elapsed"]]

# pbdZMQ writes into the vector it is given, so that each call needs a new one.
get_int <- function(socket, option) zmq.getsockopt(socket, option, integer(1), MC = STRICT)

get_text <- function(socket, option) {
  buffer <- charToRaw(zmq.getsockopt(socket, option, strrep(" ", 256), MC = STRICT))
  buffer[seq_len(match(as.raw(0), buffer) - 1L)]
}

option <- function(name) OPTIONS[[name]] %||% refuse("unsupported", name)

# Let those in who are on the list of a new ZAP domain, which is answered.
keep_passwords <- function(pairs) {
  if (!length(handlers)) {
    handlers <<- list(zmq.socket(context, TYPES$REP))
    zmq.bind(handlers[[1]], "inproc://zeromq.zap.01", MC = STRICT)
  }
  domain <- paste0("domain-", length(passwords) + 1)
  passwords[[domain]] <<- lapply(pairs, lapply, octets)
  domain
}

# A request: version, id, domain, address, identity, mechanism, credentials.
answer_zap <- function(handler) {
  while (!is.null(asked <- try_recv(handler))) {
    good <- rawToChar(asked[[6]]) == "CURVE" || list(asked[7:8]) %in% passwords[[rawToChar(asked[[3]])]]
    try_send(handler, c(asked[1:2], list(charToRaw(if (good) "200" else "400"), raw(), raw(), raw())))
  }
}

change <- function(socket, name, value) {
  value <- if (name %in% names(TEXTS)) as_text(octets(value))
  else if (name %in% names(KEYS)) as_z85(octets(value))
  else if (name == "plain-passwords") keep_passwords(value)
  else as.integer(value)
  zmq.setsockopt(socket, option(name), value, MC = STRICT)
}

# Let libzmq work: its descriptors tell of news once, until the events are read.
serve <- function() {
  for (socket in sockets) get_int(socket, SO$EVENTS)
  for (handler in handlers) answer_zap(handler)
}

# Wait until a socket or one of `inputs` has news. A time of -1: for ever.
await <- function(ms, inputs = list()) {
  descriptors <- vapply(c(sockets, handlers), get_int, 1L, SO$FD, USE.NAMES = FALSE)
  news <- curl_fds(list(reads = descriptors, writes = integer(), exceptions = integer()))
  processx::poll(c(inputs, list(news)), as.integer(ms))
}

# Do `act` until it returns something or the time is over; all are served meanwhile.
patiently <- function(end, act) {
  repeat {
    left <- end - now()
    result <- act()
    if (!is.null(result) || left <= 0) return(result)
    serve()
    result <- act()
    if (!is.null(result)) return(result)
    await(ceiling(1000 * left))
  }
}

try_send <- function(socket, parts) {
  for (index in seq_along(parts)) {
    flags <- DONTWAIT + (if (index < length(parts)) ZMQ.SR()$SNDMORE else 0L)
    if (zmq.send(socket, parts[[index]], flags) == -1L) {
      error <- trouble()
      if (error$errno == EAGAIN) return(NULL)
      return(OUTCOMES[[error$errno]] %||% refuse("failed", error$words))
    }
  }
  "accepted"
}

offer <- function(socket, parts, end) patiently(end, function() try_send(socket, parts)) %||% "would-block"

try_recv <- function(socket) {
  parts <- list()
  repeat {
    part <- zmq.msg.recv(socket, DONTWAIT, unserialize = FALSE) # empty after an error, too
    error <- if (!length(parts) && !length(part)) trouble()
    if (identical(error$errno, EAGAIN)) return(NULL)
    if (!is.null(error)) refuse("failed", error$words)
    parts[[length(parts) + 1]] <- part
    if (!get_int(socket, SO$RCVMORE)) return(parts)
  }
}

take <- function(socket, end) patiently(end, function() try_recv(socket))

attach_to <- function(act, r) {
  socket <- find(r$socket)
  zmq.setsockopt(socket, SO$IPV6, as.integer(grepl("[", r$endpoint, fixed = TRUE)), MC = STRICT)
  act(socket, r$endpoint, MC = STRICT)
  socket
}

change_subscription <- function(option, mark, r) {
  socket <- find(r$socket)
  prefix <- octets(r$prefix)
  if (attr(socket, "type") == TYPES$XSUB) try_send(socket, list(c(mark, prefix)))
  else zmq.setsockopt(socket, option, as_text(prefix), MC = STRICT)
  NOTHING
}

close_socket <- function(number) {
  socket <- find(number)
  sockets[[as.character(number)]] <<- NULL
  zmq.close(socket)
}

index_octets <- function(index) c(raw(4), writeBin(as.integer(index), raw(), endian = "big"))

OPERATIONS <- list(
  hello = function(r) {
    version <- sprintf("%s (pbdZMQ %s)", zmq.version(), packageVersion("pbdZMQ"))
    list(peer = "pbdzmq", library = "libzmq", version = version, language = "R", control = "1")
  },
  open = function(r) {
    type <- TYPES[[r$type]] %||% refuse("unsupported", r$type)
    lapply(names(r$options), option)
    socket <- zmq.socket(context, type)
    options <- modifyList(list("linger-ms" = 0L), r$options)
    tryCatch(
      for (name in names(options)) change(socket, name, options[[name]]),
      error = function(e) { zmq.close(socket); stop(e) }
    )
    opened <<- opened + 1L
    sockets[[as.character(opened)]] <<- socket
    list(socket = opened)
  },
  close = function(r) { close_socket(r$socket); NOTHING },
  set = function(r) { change(find(r$socket), r$option, r$value); NOTHING },
  get = function(r) {
    socket <- find(r$socket)
    if (r$option %in% names(TEXTS)) return(list(value = hex(get_text(socket, option(r$option)))))
    value <- get_int(socket, option(r$option))
    list(value = if (r$option %in% names(FLAGS)) as.logical(value) else value)
  },
  bind = function(r) list(endpoint = rawToChar(get_text(attach_to(zmq.bind, r), SO$LAST_ENDPOINT))),
  connect = function(r) { attach_to(zmq.connect, r); list(endpoint = r$endpoint) },
  subscribe = function(r) change_subscription(SO$SUBSCRIBE, as.raw(1), r),
  cancel = function(r) change_subscription(SO$UNSUBSCRIBE, as.raw(0), r),
  send = function(r) {
    list(outcome = offer(find(r$socket), lapply(r$parts, octets), now() + r$timeout_ms / 1000))
  },
  recv = function(r) {
    parts <- take(find(r$socket), now() + r$timeout_ms / 1000) %||% refuse("timeout", zmq.strerror(EAGAIN))
    list(parts = I(vapply(parts, hex, "")))
  },
  poll = function(r) {
    asked <- setNames(lapply(r$sockets, find), r$sockets)
    readable <- patiently(now() + r$timeout_ms / 1000, function() {
      events <- vapply(asked, get_int, 1L, SO$EVENTS)
      if (any(ready <- bitwAnd(events, ZMQ.PO()$POLLIN) > 0L)) r$sockets[ready]
    })
    list(readable = readable %||% list())
  },
  flood = function(r) {
    end <- now() + r$timeout_ms / 1000
    socket <- find(r$socket)
    head <- lapply(r$head, octets)
    pattern <- as.raw((seq_len(256 + r$size_octets) - 1) %% 256)
    for (index in seq_len(r$count) - 1) {
      start <- (r$seed + index + 8) %% 256
      body <- c(index_octets(index), pattern[start + seq_len(r$size_octets - 8)])
      if (offer(socket, c(head, list(body)), end) != "accepted") return(list(accepted = as.integer(index)))
    }
    list(accepted = r$count)
  },
  drain = function(r) {
    end <- now() + r$timeout_ms / 1000
    socket <- find(r$socket)
    bodies <- list()
    while (length(bodies) < r$count && !is.null(parts <- take(socket, end))) {
      bodies[[length(bodies) + 1]] <- tail(parts, 1)[[1]]
    }
    framed <- lapply(bodies, function(body) c(index_octets(length(body)), body))
    list(
      received = length(bodies), digest = digest::digest(as.raw(unlist(framed)), "sha256", serialize = FALSE),
      first = as_number(unlist(head(bodies, 1))), last = as_number(unlist(tail(bodies, 1)))
    )
  }
)

answer <- function(request) {
  result <- tryCatch(
    {
      operation <- OPERATIONS[[request$op]] %||% refuse("unsupported", request$op)
      list(ok = operation(request))
    },
    refusal = function(e) list(error = list(kind = e$kind, detail = e$message)),
    error = function(e) list(error = list(kind = "failed", detail = trouble()$words %||% conditionMessage(e)))
  )
  toJSON(c(list(id = request$id), result), auto_unbox = TRUE, null = "null", json_verbatim = TRUE)
}

# Answer requests until the end of input; in between libzmq works whenever it has news.
input <- conn_create_fd(0L)
chunks <- character()
sink(printed)
while (conn_is_incomplete(input)) {
  serve()
  if (await(-1, list(input))[[1]] != "ready") next
  chunks <- c(chunks, conn_read_chars(input))
  if (!endsWith(tail(chunks, 1), "\n")) next
  for (line in strsplit(paste(chunks, collapse = ""), "\n", fixed = TRUE)[[1]]) {
    reply <- answer(parse_json(line))
    sink()
    cat(reply, "\n", sep = "")
    sink(printed)
  }
  chunks <- character()
}
for (number in names(sockets)) close_socket(number)
quit(status = if (any(nzchar(chunks))) 1 else 0)
