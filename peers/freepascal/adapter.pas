{ Control protocol adapter for libzmq from Free Pascal, by external declarations. It reports; it judges nothing. }
program adapter;

{$mode objfpc}{$H+}{$packrecords c}

uses
  cthreads, Classes, SysUtils, BaseUnix, CTypes, Linux, UnixType, fpjson, jsonparser;

const
  LibZmq = 'zmq';
  DONTWAIT = 1;
  SNDMORE = 2;
  POLLIN_EVENT = 1;
  OPT_SUBSCRIBE = 6;
  OPT_UNSUBSCRIBE = 7;
  OPT_FD = 14;
  OPT_EVENTS = 15;
  OPT_LINGER = 17;
  OPT_LAST_ENDPOINT = 32;
  OPT_IPV6 = 42;
  TYPE_PAIR = 0;
  TYPE_XSUB = 10;
  EFSM = 156384712 + 51;
  ReadOctets = 65536;
  HourMs = 3600000;

type
  TZmqMsg = record
    octets: array[0..7] of QWord;
  end;
  PZmqMsg = ^TZmqMsg;
  TSha2 = record
    state: array[0..7] of QWord;
    count: array[0..1] of QWord;
    buffer: array[0..127] of Byte;
  end;

procedure zmq_version(out major, minor, patch: cint); cdecl; external LibZmq;
function zmq_errno: cint; cdecl; external LibZmq;
function zmq_strerror(error: cint): PChar; cdecl; external LibZmq;
function zmq_ctx_new: Pointer; cdecl; external LibZmq;
function zmq_ctx_term(context: Pointer): cint; cdecl; external LibZmq;
function zmq_socket(context: Pointer; kind: cint): Pointer; cdecl; external LibZmq;
function zmq_close(socket: Pointer): cint; cdecl; external LibZmq;
function zmq_setsockopt(socket: Pointer; option: cint; value: Pointer; size: csize_t): cint; cdecl; external LibZmq;
function zmq_getsockopt(socket: Pointer; option: cint; value: Pointer; var size: csize_t): cint; cdecl; external LibZmq;
function zmq_bind(socket: Pointer; endpoint: PChar): cint; cdecl; external LibZmq;
function zmq_connect(socket: Pointer; endpoint: PChar): cint; cdecl; external LibZmq;
function zmq_unbind(socket: Pointer; endpoint: PChar): cint; cdecl; external LibZmq;
function zmq_disconnect(socket: Pointer; endpoint: PChar): cint; cdecl; external LibZmq;
function zmq_socket_monitor(socket: Pointer; endpoint: PChar; events: cint): cint; cdecl; external LibZmq;
function zmq_proxy_steerable(front, back, capture, control: Pointer): cint; cdecl; external LibZmq;
function zmq_send(socket, octets: Pointer; size: csize_t; flags: cint): cint; cdecl; external LibZmq;
function zmq_msg_init(part: PZmqMsg): cint; cdecl; external LibZmq;
function zmq_msg_recv(part: PZmqMsg; socket: Pointer; flags: cint): cint; cdecl; external LibZmq;
function zmq_msg_more(part: PZmqMsg): cint; cdecl; external LibZmq;
function zmq_msg_data(part: PZmqMsg): PChar; cdecl; external LibZmq;
function zmq_msg_size(part: PZmqMsg): csize_t; cdecl; external LibZmq;
function zmq_msg_close(part: PZmqMsg): cint; cdecl; external LibZmq;

{ SHA-256: Free Pascal 3.2 has none. }
procedure SHA256Init(var sum: TSha2); cdecl; external 'md';
procedure SHA256Update(var sum: TSha2; octets: Pointer; size: csize_t); cdecl; external 'md';
function SHA256End(var sum: TSha2; digest: PChar): PChar; cdecl; external 'md';

type
  EUnsupported = class(Exception);

  EZmq = class(Exception)
    Number: cint;
    constructor Create;
  end;

  { One message; Sent of its parts the library has taken. }
  TMessage = record
    Parts: array of RawByteString;
    Sent: Integer;
  end;

  { libzmq's own proxy, in a thread that has the two sockets until one is closed. }
  TProxy = class(TThread)
    Frontend, Backend, Inside, Control: Pointer;
    procedure Execute; override;
  end;

  TEntry = record
    Socket, Watch: Pointer; { Socket is nil: closed }
    Kind, Descriptor: cint;
    Proxy: TProxy; { its thread serves the socket }
  end;
  PEntry = ^TEntry;

  TOptionKind = (Flag, Number, Wide, Octets);
  TOption = record
    Name: string;
    Option: cint;
    Kind: TOptionKind;
  end;

  TAct = function(socket: Pointer; var what: TMessage): Boolean;
  TOperation = function(request: TJSONObject): TJSONObject;

const
  Types: array[TYPE_PAIR..TYPE_XSUB] of string = (
    'PAIR', 'PUB', 'SUB', 'REQ', 'REP', 'DEALER', 'ROUTER', 'PULL', 'PUSH', 'XPUB', 'XSUB');

  Options: array[0..17] of TOption = (
    (Name: 'identity'; Option: 5; Kind: Octets),
    (Name: 'linger-ms'; Option: 17; Kind: Number),
    (Name: 'reconnect-interval-ms'; Option: 18; Kind: Number),
    (Name: 'max-message-octets'; Option: 22; Kind: Wide),
    (Name: 'send-hwm'; Option: 23; Kind: Number),
    (Name: 'receive-hwm'; Option: 24; Kind: Number),
    (Name: 'mandatory'; Option: 33; Kind: Flag),
    (Name: 'immediate'; Option: 39; Kind: Flag),
    (Name: 'xpub-verbose'; Option: 40; Kind: Flag),
    (Name: 'probe-router'; Option: 51; Kind: Flag),
    (Name: 'req-correlate'; Option: 52; Kind: Flag),
    (Name: 'req-relaxed'; Option: 53; Kind: Flag),
    (Name: 'conflate'; Option: 54; Kind: Flag),
    (Name: 'handover'; Option: 56; Kind: Flag),
    (Name: 'handshake-interval-ms'; Option: 66; Kind: Number),
    (Name: 'heartbeat-interval-ms'; Option: 75; Kind: Number),
    (Name: 'heartbeat-ttl-ms'; Option: 76; Kind: Number),
    (Name: 'heartbeat-timeout-ms'; Option: 77; Kind: Number));

  EventNames: array[0..14] of string = (
    'connected', 'connect-delayed', 'connect-retried', 'listening', 'bind-failed', 'accepted', 'accept-failed',
    'closed', 'close-failed', 'disconnected', 'monitor-stopped', 'handshake-failed-no-detail',
    'handshake-succeeded', 'handshake-failed-protocol', 'handshake-failed-auth');

var
  Context: Pointer;
  Entries: array of TEntry; { socket 1 is the first }
  Lingers: Boolean = False; { a socket was closed that may go on sending }

constructor EZmq.Create;
begin
  Number := zmq_errno;
  inherited Create(zmq_strerror(Number));
end;

procedure Check(status: cint);
begin
  if status = -1 then
    raise EZmq.Create;
end;

function NowMs: Int64;
var
  now: TTimeSpec;
begin
  clock_gettime(CLOCK_MONOTONIC, @now);
  Result := Int64(now.tv_sec) * 1000 + now.tv_nsec div 1000000;
end;

{ ---- hex ---- }

function Hex(const octets: RawByteString): string;
const
  Digits: array[0..15] of Char = '0123456789abcdef';
var
  i: SizeInt;
begin
  SetLength(Result, 2 * Length(octets));
  for i := 1 to Length(octets) do
  begin
    Result[2 * i - 1] := Digits[Ord(octets[i]) shr 4];
    Result[2 * i] := Digits[Ord(octets[i]) and 15];
  end;
end;

function Nibble(digit: Char): Byte;
begin
  case digit of
    '0'..'9': Result := Ord(digit) - Ord('0');
    'a'..'f': Result := Ord(digit) - Ord('a') + 10;
  else
    raise Exception.Create('octets are hex');
  end;
end;

function FromHex(const text: string): RawByteString;
var
  i: SizeInt;
begin
  if Odd(Length(text)) then
    raise Exception.Create('octets are two digits each');
  SetLength(Result, Length(text) div 2);
  for i := 1 to Length(Result) do
    Result[i] := Chr(Nibble(text[2 * i - 1]) shl 4 or Nibble(text[2 * i]));
end;

function MessageOf(list: TJSONArray): TMessage;
var
  i: Integer;
begin
  Result := Default(TMessage);
  if list = nil then
    Exit;
  SetLength(Result.Parts, list.Count);
  for i := 0 to list.Count - 1 do
    Result.Parts[i] := FromHex(list.Strings[i]);
end;

{ ---- options ---- }

function GetNumber(socket: Pointer; option: cint): cint;
var
  size: csize_t = SizeOf(cint);
begin
  Check(zmq_getsockopt(socket, option, @Result, size));
end;

procedure SetNumber(socket: Pointer; option, value: cint);
begin
  Check(zmq_setsockopt(socket, option, @value, SizeOf(value)));
end;

function GetOctets(socket: Pointer; option: cint): RawByteString;
var
  size: csize_t = 1024;
begin
  SetLength(Result, size);
  Check(zmq_getsockopt(socket, option, PChar(Result), size));
  SetLength(Result, size);
end;

function OptionOf(const name: string): TOption;
begin
  for Result in Options do
    if Result.Name = name then
      Exit;
  raise EUnsupported.Create('option ' + name);
end;

procedure SetOption(socket: Pointer; const name: string; value: TJSONData);
var
  option: TOption;
  text: RawByteString;
  big: Int64;
begin
  option := OptionOf(name);
  case option.Kind of
    Octets:
      begin
        text := FromHex(value.AsString);
        Check(zmq_setsockopt(socket, option.Option, PChar(text), Length(text)));
      end;
    Wide:
      begin
        big := value.AsInt64;
        Check(zmq_setsockopt(socket, option.Option, @big, SizeOf(big)));
      end;
    Flag: SetNumber(socket, option.Option, Ord(value.AsBoolean));
  else
    SetNumber(socket, option.Option, value.AsInteger);
  end;
end;

function GetOption(socket: Pointer; const name: string): TJSONData;
var
  option: TOption;
  big: Int64;
  size: csize_t = SizeOf(Int64);
begin
  option := OptionOf(name);
  case option.Kind of
    Octets: Result := TJSONString.Create(Hex(GetOctets(socket, option.Option)));
    Wide:
      begin
        Check(zmq_getsockopt(socket, option.Option, @big, size));
        Result := TJSONInt64Number.Create(big);
      end;
    Flag: Result := TJSONBoolean.Create(GetNumber(socket, option.Option) <> 0);
  else
    Result := TJSONIntegerNumber.Create(GetNumber(socket, option.Option));
  end;
end;

{ ---- sockets ---- }

function Find(number: Int64): PEntry;
begin
  if (number < 1) or (number > Length(Entries)) or (Entries[number - 1].Socket = nil) then
    raise Exception.CreateFmt('no open socket %d', [number]);
  Result := @Entries[number - 1];
end;

function SocketOf(request: TJSONObject): Pointer;
begin
  Result := Find(request.Int64s['socket'])^.Socket;
end;

function NewSocket(kind: cint): Pointer;
begin
  Result := zmq_socket(Context, kind);
  if Result = nil then
    raise EZmq.Create;
  SetNumber(Result, OPT_LINGER, 0);
end;

procedure TProxy.Execute;
begin
  zmq_proxy_steerable(Frontend, Backend, nil, Inside);
end;

procedure EndProxy(proxy: TProxy);
var
  i: Integer;
begin
  zmq_send(proxy.Control, PChar('TERMINATE'), 9, 0);
  proxy.WaitFor;
  zmq_close(proxy.Control);
  zmq_close(proxy.Inside);
  for i := 0 to High(Entries) do
    if Entries[i].Proxy = proxy then
      Entries[i].Proxy := nil;
  proxy.Free;
end;

procedure CloseEntry(entry: PEntry; atOnce: Boolean);
begin
  if entry^.Proxy <> nil then
    EndProxy(entry^.Proxy);
  if entry^.Watch <> nil then
  begin
    zmq_socket_monitor(entry^.Socket, nil, 0);
    zmq_close(entry^.Watch);
  end;
  if atOnce then
    SetNumber(entry^.Socket, OPT_LINGER, 0);
  Lingers := Lingers or (GetNumber(entry^.Socket, OPT_LINGER) <> 0);
  zmq_close(entry^.Socket);
  entry^ := Default(TEntry);
end;

{ Let libzmq work: its descriptors tell of news once, until EVENTS is read. }
procedure Touch;
var
  i: Integer;
begin
  for i := 0 to High(Entries) do
    if (Entries[i].Socket <> nil) and (Entries[i].Proxy = nil) then
      GetNumber(Entries[i].Socket, OPT_EVENTS);
end;

{ Wait for news of a socket or, if asked for, standard input; true if there is input. -1 ms: without end. }
function Await(input: Boolean; timeoutMs: Int64): Boolean;
var
  items: array of TPollFd;
  i, count: Integer;
begin
  SetLength(items, Length(Entries) + 1);
  items[0].fd := 0;
  if not input then
    items[0].fd := -1;
  items[0].events := POLLIN;
  count := 1;
  for i := 0 to High(Entries) do
    if (Entries[i].Socket <> nil) and (Entries[i].Proxy = nil) then
    begin
      items[count].fd := Entries[i].Descriptor;
      items[count].events := POLLIN;
      Inc(count);
    end;
  if timeoutMs > HourMs then
    timeoutMs := HourMs;
  Result := (FpPoll(@items[0], count, timeoutMs) > 0) and (items[0].revents <> 0);
end;

{ Act until that is done or the time is over; all sockets are served meanwhile. }
function Patiently(act: TAct; socket: Pointer; var what: TMessage; endMs: Int64): Boolean;
var
  leftMs: Int64;
begin
  while not act(socket, what) do
  begin
    Touch;
    if act(socket, what) then
      Exit(True);
    leftMs := endMs - NowMs;
    if leftMs <= 0 then
      Exit(False);
    Await(False, leftMs);
  end;
  Result := True;
end;

{ One whole message now, or none; other errors than EAGAIN are raised. }
function SendNow(socket: Pointer; var what: TMessage): Boolean;
var
  flags: cint;
begin
  while what.Sent < Length(what.Parts) do
  begin
    flags := DONTWAIT;
    if what.Sent < High(what.Parts) then
      flags := flags or SNDMORE;
    if zmq_send(socket, PChar(what.Parts[what.Sent]), Length(what.Parts[what.Sent]), flags) = -1 then
    begin
      if (zmq_errno = ESysEAGAIN) and (what.Sent = 0) then
        Exit(False);
      raise EZmq.Create;
    end;
    Inc(what.Sent);
  end;
  Result := True;
end;

function ReceiveNow(socket: Pointer; var what: TMessage): Boolean;
var
  part: TZmqMsg;
  octets: RawByteString;
  more: Boolean;
begin
  what := Default(TMessage);
  repeat
    zmq_msg_init(@part);
    if zmq_msg_recv(@part, socket, DONTWAIT) = -1 then
    begin
      if zmq_errno = ESysEAGAIN then
        Exit(False);
      raise EZmq.Create;
    end;
    SetString(octets, zmq_msg_data(@part), zmq_msg_size(@part));
    Insert(octets, what.Parts, Length(what.Parts));
    more := zmq_msg_more(@part) <> 0;
    zmq_msg_close(@part);
  until not more;
  Result := True;
end;

function Offer(socket: Pointer; const what: TMessage; endMs: Int64): string;
var
  message: TMessage;
begin
  message := what;
  try
    if Patiently(@SendNow, socket, message, endMs) then
      Exit('accepted');
    Result := 'would-block';
  except
    on error: EZmq do
      case error.Number of
        ESysEHOSTUNREACH: Result := 'unroutable';
        EFSM, ESysEOPNOTSUPP: Result := 'refused';
      else
        raise;
      end;
  end;
end;

{ ---- operations ---- }

function EndOf(request: TJSONObject): Int64;
begin
  Result := NowMs + request.Int64s['timeout_ms'];
end;

function HasBracket(const endpoint: string): cint;
begin
  Result := Ord(Pos('[', endpoint) > 0);
end;

function Hello(request: TJSONObject): TJSONObject;
var
  major, minor, patch: cint;
begin
  zmq_version(major, minor, patch);
  Result := TJSONObject.Create(['peer', 'freepascal', 'library', 'libzmq',
    'version', Format('%d.%d.%d (Free Pascal %s)', [major, minor, patch, {$I %FPCVERSION%}]),
    'language', 'Pascal', 'control', '1']);
end;

function OpenSocket(request: TJSONObject): TJSONObject;
var
  wanted: TJSONObject;
  entry: TEntry;
  i: Integer;
begin
  entry := Default(TEntry);
  while (entry.Kind <= TYPE_XSUB) and (Types[entry.Kind] <> request.Strings['type']) do
    Inc(entry.Kind);
  if entry.Kind > TYPE_XSUB then
    raise EUnsupported.Create('socket type ' + request.Strings['type']);
  entry.Socket := NewSocket(entry.Kind);
  wanted := request.Objects['options'];
  try
    for i := 0 to wanted.Count - 1 do
      SetOption(entry.Socket, wanted.Names[i], wanted.Items[i]);
  except
    zmq_close(entry.Socket);
    raise;
  end;
  entry.Descriptor := GetNumber(entry.Socket, OPT_FD);
  Insert(entry, Entries, Length(Entries));
  Result := TJSONObject.Create(['socket', Length(Entries)]);
end;

function CloseSocket(request: TJSONObject): TJSONObject;
begin
  CloseEntry(Find(request.Int64s['socket']), False);
  Result := TJSONObject.Create;
end;

function SetIt(request: TJSONObject): TJSONObject;
begin
  SetOption(SocketOf(request), request.Strings['option'], request.Elements['value']);
  Result := TJSONObject.Create;
end;

function GetIt(request: TJSONObject): TJSONObject;
begin
  Result := TJSONObject.Create(['value', GetOption(SocketOf(request), request.Strings['option'])]);
end;

function Bind(request: TJSONObject): TJSONObject;
begin
  SetNumber(SocketOf(request), OPT_IPV6, HasBracket(request.Strings['endpoint']));
  Check(zmq_bind(SocketOf(request), PChar(request.Strings['endpoint'])));
  Result := TJSONObject.Create(['endpoint', string(PChar(GetOctets(SocketOf(request), OPT_LAST_ENDPOINT)))]);
end;

function Connect(request: TJSONObject): TJSONObject;
begin
  SetNumber(SocketOf(request), OPT_IPV6, HasBracket(request.Strings['endpoint']));
  Check(zmq_connect(SocketOf(request), PChar(request.Strings['endpoint'])));
  Result := TJSONObject.Create(['endpoint', request.Strings['endpoint']]);
end;

function Unbind(request: TJSONObject): TJSONObject;
begin
  Check(zmq_unbind(SocketOf(request), PChar(request.Strings['endpoint'])));
  Result := TJSONObject.Create;
end;

function Disconnect(request: TJSONObject): TJSONObject;
begin
  Check(zmq_disconnect(SocketOf(request), PChar(request.Strings['endpoint'])));
  Result := TJSONObject.Create;
end;

{ On XSUB subscriptions are messages. }
function ChangeSubscription(request: TJSONObject; option: cint; const octet: RawByteString): TJSONObject;
var
  entry: PEntry;
  prefix: RawByteString;
begin
  entry := Find(request.Int64s['socket']);
  prefix := FromHex(request.Strings['prefix']);
  if entry^.Kind = TYPE_XSUB then
  begin
    prefix := octet + prefix;
    Check(zmq_send(entry^.Socket, PChar(prefix), Length(prefix), DONTWAIT));
  end
  else
    Check(zmq_setsockopt(entry^.Socket, option, PChar(prefix), Length(prefix)));
  Result := TJSONObject.Create;
end;

function Subscribe(request: TJSONObject): TJSONObject;
begin
  Result := ChangeSubscription(request, OPT_SUBSCRIBE, #1);
end;

function Cancel(request: TJSONObject): TJSONObject;
begin
  Result := ChangeSubscription(request, OPT_UNSUBSCRIBE, #0);
end;

function SendMessage(request: TJSONObject): TJSONObject;
begin
  Result := TJSONObject.Create(['outcome',
    Offer(SocketOf(request), MessageOf(request.Arrays['parts']), EndOf(request))]);
end;

function Receive(request: TJSONObject): TJSONObject;
var
  message: TMessage;
  parts: TJSONArray;
  part: RawByteString;
begin
  if not Patiently(@ReceiveNow, SocketOf(request), message, EndOf(request)) then
    raise EZmq.Create;
  parts := TJSONArray.Create;
  for part in message.Parts do
    parts.Add(Hex(part));
  Result := TJSONObject.Create(['parts', parts]);
end;

function Poll(request: TJSONObject): TJSONObject;
var
  numbers, readable: TJSONArray;
  endMs, leftMs: Int64;
  i: Integer;
begin
  numbers := request.Arrays['sockets'];
  for i := 0 to numbers.Count - 1 do
    Find(numbers.Int64s[i]);
  endMs := EndOf(request);
  readable := TJSONArray.Create;
  repeat
    Touch;
    for i := 0 to numbers.Count - 1 do
      if GetNumber(Find(numbers.Int64s[i])^.Socket, OPT_EVENTS) and POLLIN_EVENT <> 0 then
        readable.Add(numbers.Int64s[i]);
    leftMs := endMs - NowMs;
    if (readable.Count = 0) and (leftMs > 0) then
      Await(False, leftMs);
  until (readable.Count > 0) or (leftMs <= 0);
  Result := TJSONObject.Create(['readable', readable]);
end;

function BigEndian(number: QWord): RawByteString;
begin
  SetLength(Result, SizeOf(number));
  number := NtoBE(number);
  Move(number, Result[1], SizeOf(number));
end;

function Flood(request: TJSONObject): TJSONObject;
var
  message: TMessage;
  body: RawByteString;
  count, seed, index, endMs: Int64;
  size, j: SizeInt;
begin
  endMs := EndOf(request);
  count := request.Int64s['count'];
  seed := request.Int64s['seed'];
  size := request.Int64s['size_octets'];
  message := MessageOf(request.Get('head', TJSONArray(nil)));
  SetLength(message.Parts, Length(message.Parts) + 1);
  index := 0;
  while index < count do
  begin
    body := BigEndian(index);
    SetLength(body, size);
    for j := 8 to size - 1 do
      body[j + 1] := Chr((seed + index + j) and 255);
    message.Parts[High(message.Parts)] := body;
    if Offer(SocketOf(request), message, endMs) <> 'accepted' then
      break;
    Inc(index);
  end;
  Result := TJSONObject.Create(['accepted', index]);
end;

{ The number in a body's first 8 octets; null for a shorter body, or one that flood cannot have made. }
function IndexIn(const body: RawByteString): TJSONData;
var
  number: QWord;
begin
  if Length(body) < SizeOf(number) then
    Exit(TJSONNull.Create);
  Move(body[1], number, SizeOf(number));
  number := BEtoN(number);
  if number > QWord(High(Int64)) then
    Exit(TJSONNull.Create);
  Result := TJSONInt64Number.Create(Int64(number));
end;

function Drain(request: TJSONObject): TJSONObject;
var
  message: TMessage;
  body, first, last, length_octets: RawByteString;
  received, count, endMs: Int64;
  sum: TSha2;
  digest: array[0..64] of Char;
begin
  endMs := EndOf(request);
  count := request.Int64s['count'];
  received := 0;
  SHA256Init(sum);
  while (received < count) and Patiently(@ReceiveNow, SocketOf(request), message, endMs) do
  begin
    body := message.Parts[High(message.Parts)];
    length_octets := BigEndian(Length(body));
    SHA256Update(sum, PChar(length_octets), Length(length_octets));
    SHA256Update(sum, PChar(body), Length(body));
    last := Copy(body, 1, 8);
    if received = 0 then
      first := last;
    Inc(received);
  end;
  Result := TJSONObject.Create(['received', received, 'digest', string(SHA256End(sum, digest)),
    'first', IndexIn(first), 'last', IndexIn(last)]);
end;

function Proxy(request: TJSONObject): TJSONObject;
var
  frontend, backend: PEntry;
  made: TProxy;
  endpoint: string;
begin
  frontend := Find(request.Int64s['frontend']);
  backend := Find(request.Int64s['backend']);
  endpoint := Format('inproc://proxy-%d', [request.Int64s['frontend']]);
  made := TProxy.Create(True);
  made.Frontend := frontend^.Socket;
  made.Backend := backend^.Socket;
  made.Inside := NewSocket(TYPE_PAIR);
  made.Control := NewSocket(TYPE_PAIR);
  Check(zmq_bind(made.Inside, PChar(endpoint)));
  Check(zmq_connect(made.Control, PChar(endpoint)));
  frontend^.Proxy := made;
  backend^.Proxy := made;
  made.Start;
  Result := TJSONObject.Create;
end;

function NameOf(number: Word): string;
var
  place: Integer;
begin
  for place := 0 to High(EventNames) do
    if number = 1 shl place then
      Exit(EventNames[place]);
  Result := 'unknown';
end;

function Monitor(request: TJSONObject): TJSONObject;
var
  entry: PEntry;
  message: TMessage;
  endpoint: string;
  events: TJSONArray;
begin
  entry := Find(request.Int64s['socket']);
  if entry^.Watch = nil then
  begin
    endpoint := Format('inproc://monitor-%d', [request.Int64s['socket']]);
    Check(zmq_socket_monitor(entry^.Socket, PChar(endpoint), $ffff));
    entry^.Watch := NewSocket(TYPE_PAIR);
    Check(zmq_connect(entry^.Watch, PChar(endpoint)));
  end;
  events := TJSONArray.Create;
  while ReceiveNow(entry^.Watch, message) do
    events.Add(TJSONObject.Create(['event', NameOf(PWord(@message.Parts[0][1])^), 'endpoint', string(message.Parts[1]),
      'value', PLongInt(@message.Parts[0][3])^]));
  Result := TJSONObject.Create(['events', events]);
end;

{ ---- requests ---- }

function OperationOf(const op: string): TOperation;
begin
  case op of
    'hello': Result := @Hello;
    'open': Result := @OpenSocket;
    'close': Result := @CloseSocket;
    'set': Result := @SetIt;
    'get': Result := @GetIt;
    'bind': Result := @Bind;
    'connect': Result := @Connect;
    'unbind': Result := @Unbind;
    'disconnect': Result := @Disconnect;
    'subscribe': Result := @Subscribe;
    'cancel': Result := @Cancel;
    'send': Result := @SendMessage;
    'recv': Result := @Receive;
    'poll': Result := @Poll;
    'flood': Result := @Flood;
    'drain': Result := @Drain;
    'proxy': Result := @Proxy;
    'monitor': Result := @Monitor;
  else
    raise EUnsupported.Create(op);
  end;
end;

function Refusal(error: Exception): TJSONObject;
var
  kind: string;
begin
  kind := 'failed';
  if error is EUnsupported then
    kind := 'unsupported'
  else if (error is EZmq) and (EZmq(error).Number = ESysEAGAIN) then
    kind := 'timeout';
  Result := TJSONObject.Create(['kind', kind, 'detail', error.Message]);
end;

procedure Answer(const line: string);
var
  request: TJSONData;
  whole: TJSONObject;
begin
  request := GetJSON(line);
  whole := TJSONObject.Create(['id', TJSONObject(request).Int64s['id']]);
  try
    whole.Add('ok', OperationOf(TJSONObject(request).Strings['op'])(TJSONObject(request)));
  except
    on error: Exception do
      whole.Add('error', Refusal(error));
  end;
  WriteLn(whole.AsJSON);
  Flush(Output);
  whole.Free;
  request.Free;
end;

{ Read what there is and answer the requests that are whole; false at the end of input. }
function TakeInput(pending: TMemoryStream): Boolean;
var
  chunk, line: string;
  count, start, stop: SizeInt;
begin
  SetLength(chunk, ReadOctets);
  count := FpRead(0, PChar(chunk), ReadOctets);
  if count <= 0 then
    Exit(False);
  SetLength(chunk, count);
  start := 1;
  stop := Pos(#10, chunk);
  while stop > 0 do
  begin
    pending.Write(chunk[start], stop - start);
    SetString(line, PChar(pending.Memory), pending.Size);
    pending.Clear;
    Answer(line);
    start := stop + 1;
    stop := Pos(#10, chunk, start);
  end;
  pending.Write(chunk[start], count - start + 1);
  Result := True;
end;

{ Answer requests until the end of input; in between libzmq works whenever it has news. }
var
  pending: TMemoryStream;
  open: Boolean = True;
  i: Integer;
begin
  pending := TMemoryStream.Create;
  TJSONObject.CompressedJSON := True;
  Context := zmq_ctx_new;
  while open do
  begin
    Touch;
    if Await(True, -1) then
      open := TakeInput(pending);
  end;
  for i := 0 to High(Entries) do
    if Entries[i].Socket <> nil then
      CloseEntry(@Entries[i], True);
  if not Lingers then
    zmq_ctx_term(Context);
  if pending.Size > 0 then
    Halt(1);
end.
