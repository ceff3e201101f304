// A conversation: a sequence diagram beside the octets of each event; what is lit in one is lit in the other.
const ROW = 38;
const HEAD = 26;
const CHAR = 7.3;
const NEITHER = 2;
const ENDS = ["dialer", "listener"];

function talkPart(talk, subject) {
  const events = talk.events.map(([ms, connection, sender, text, start, size, octets, parts], n) => ({
    n, ms, connection, sender, text: T[text], start, size,
    octets: size === undefined ? null : Uint8Array.from(atob(T[octets]), (char) => char.charCodeAt(0)),
    parts: parts ? T[parts].split(";").map((part) => part.split(",")) : [],
    mark: n === talk.mark,
  }));
  const many = talk.ends.length > 1;
  const names = endNames(talk, subject);
  const diagram = h("div", { class: "diagram" });
  const wire = h("div", { class: "wire", role: "listbox", "aria-label": "Octets of the conversation" },
    events.map((event) => octetsOf(event, many)));
  const rows = [...wire.children];
  const draw = () => {
    const focus = diagram.contains(document.activeElement) ? lit : -1;
    diagram.replaceChildren(drawing(events, names, many, diagram.clientWidth || 480));
    marks = [...diagram.querySelectorAll('[role="option"]')];
    light(lit, false);
    if (focus >= 0) marks[focus].focus();
  };
  let lit = talk.mark;
  let marks = [];
  const light = (n, follow) => {
    lit = n;
    for (const list of [marks, rows]) {
      list.forEach((element, at) => {
        element.classList.toggle("lit", at === n);
        element.setAttribute("aria-selected", at === n ? "true" : "false");
        element.setAttribute("tabindex", at === Math.max(n, 0) ? "0" : "-1");
      });
    }
    if (follow && n >= 0) for (const list of [marks, rows]) into(list[n]);
  };
  for (const pane of [diagram, wire]) listen(pane, () => (pane === wire ? rows : marks), light, () => lit);
  const panes = h("div", { class: "talk" }, diagram, wire);
  new ResizeObserver(draw).observe(diagram);
  light(lit, false);
  return h("section", {}, h("h3", {}, "Conversation"), remark(talk, many), panes);
}

function remark(talk, many) {
  const said = [];
  if (talk.mark >= 0) said.push("The verdict shows at the event marked “here”.");
  if (many) said.push(`${talk.ends.length} connections, numbered.`);
  if (talk.left[0] > 0) said.push(`${talk.left[0]} events are left out after the first ${talk.gap}.`);
  if (talk.left[1] > 0) said.push(`${talk.left[1]} later events are left out.`);
  if (talk.cut) said.push("The capture has more than is shown here.");
  return said.length > 0 && h("p", {}, said.join(" "));
}

// Who the two ends are: the API calls tell one; of a peer that was asked alone the other is the suite.
function endNames(talk, subject) {
  return ENDS.map((end, n) => {
    const names = new Set(talk.ends.map((ends) => ends[n]));
    const others = new Set(talk.ends.map((ends) => ends[1 - n]));
    if (names.size === 1 && !names.has("")) return `${end}: ${[...names][0]}`;
    if (subject.peers.length === 1 && names.size === 1 && others.size === 1 && !others.has("")) return `${end}: the suite`;
    return end;
  });
}

function into(element) {
  const pane = element && element.closest(".diagram, .wire");
  if (!pane) return;
  const [outer, inner] = [pane.getBoundingClientRect(), element.getBoundingClientRect()];
  if (inner.top < outer.top) pane.scrollTop -= outer.top - inner.top + 8;
  else if (inner.bottom > outer.bottom) pane.scrollTop += inner.bottom - outer.bottom + 8;
}

function listen(pane, options, light, current) {
  const of = (event) => options().indexOf(event.target.closest('[role="option"]'));
  pane.addEventListener("mouseover", (event) => { if (of(event) >= 0) light(of(event), false); });
  pane.addEventListener("click", (event) => { if (of(event) >= 0) options()[of(event)].focus(); });
  pane.addEventListener("focusin", (event) => { if (of(event) >= 0) light(of(event), true); });
  pane.addEventListener("keydown", (event) => {
    const last = options().length - 1;
    const next = { ArrowDown: current() + 1, ArrowUp: current() - 1, Home: 0, End: last }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    options()[Math.min(Math.max(next, 0), last)].focus();
  });
}

// -- the diagram -----------------------------------------------------------------------------------

const cut = (text, room) => (text.length > room ? `${text.slice(0, Math.max(room - 1, 1))}…` : text);
const timeOf = (event) => (event.ms === null ? "" : `${event.ms} ms`);

function titleOf(event, many) {
  const who = event.sender === NEITHER ? "" : `${ENDS[event.sender]}${many ? ` of connection ${event.connection}` : ""}, `;
  const size = event.octets ? `, octets ${event.start} to ${event.start + event.size - 1}` : "";
  return `${who}${timeOf(event)}${event.ms === null ? "" : ": "}${event.text}${size}${event.mark ? ", here" : ""}`;
}

function drawing(events, names, many, width) {
  const [left, right] = [64, width - 18];
  const height = HEAD + events.length * ROW + 8;
  const room = Math.floor((right - left - 16) / CHAR);
  return s("svg", { width, height, viewBox: `0 0 ${width} ${height}`, role: "listbox", "aria-label": "Sequence diagram of the conversation" },
    s("g", { "aria-hidden": "true" },
      s("text", { x: left - 56, y: 16, class: "end" }, cut(names[0], Math.floor((width - 24) / CHAR / 2))),
      s("text", { x: right + 12, y: 16, class: "end right" }, cut(names[1], Math.floor((width - 24) / CHAR / 2))),
      s("line", { x1: left, y1: HEAD, x2: left, y2: height, class: "life" }),
      s("line", { x1: right, y1: HEAD, x2: right, y2: height, class: "life" })),
    events.map((event) => drawn(event, many, left, right, room)));
}

function drawn(event, many, left, right, room) {
  const top = HEAD + event.n * ROW;
  const y = top + 29;
  const words = `${many && event.sender !== NEITHER ? `#${event.connection} ` : ""}${safe(event.text)}`;
  const group = s("g", { role: "option", "aria-selected": "false", tabindex: "-1", "aria-label": titleOf(event, many), class: event.mark ? "mark" : null },
    s("rect", { x: 2, y: top + 1, width: right + 14, height: ROW - 2, rx: 4, class: "hit" }));
  if (event.sender === NEITHER) {
    group.append(s("rect", { x: left - 56, y: top + 7, width: right - left + 66, height: 24, rx: 4, class: "note" }),
      s("text", { x: left - 48, y: top + 23, class: "words" }, cut(words, room + 6)));
    return group;
  }
  const [from, to] = event.sender === 0 ? [left, right] : [right, left];
  const tip = from < to ? to - 7 : to + 7;
  group.append(
    s("text", { x: 6, y: y + 4, class: "time" }, event.ms),
    s("text", { x: left + 8, y: y - 8, class: "words" }, cut(words, room - (event.mark ? 7 : 0))),
    event.mark ? s("text", { x: right - 6, y: y - 8, class: "here" }, "◂ here") : "",
    s("line", { x1: from, y1: y, x2: tip, y2: y, class: event.octets ? "arrow" : "arrow closing" }),
    s("path", { d: `M ${to} ${y} L ${tip} ${y - 4} L ${tip} ${y + 4} Z`, class: "tip" }));
  return group;
}

// -- the octets ------------------------------------------------------------------------------------

const hex = (octet) => octet.toString(16).padStart(2, "0");
const ascii = (octet) => (octet >= 0x20 && octet <= 0x7e ? String.fromCharCode(octet) : ".");

function octetsOf(event, many) {
  const who = event.sender === NEITHER ? "" : `${event.sender === 0 ? ">" : "<"} ${many ? `#${event.connection} ` : ""}${ENDS[event.sender]}`;
  const element = h("div", { role: "option", "aria-selected": "false", tabindex: "-1", class: `event${event.mark ? " mark" : ""}` },
    h("p", {}, h("span", { class: "who" }, who), " ", h("span", { class: "time" }, timeOf(event)), " ",
      h("span", { class: "what" }, event.text), event.mark && h("span", { class: "here" }, " ◂ here")));
  if (!event.octets) return element;
  const lines = h("pre", { class: "hex" });
  for (const [at, size, name] of partsOf(event)) {
    for (let k = at; k < at + size; k += 8) {
      const octets = [...event.octets.subarray(k, Math.min(k + 8, at + size))];
      lines.append(h("span", { class: "at" }, (event.start + k).toString(16).padStart(4, "0")), " ",
        h("span", { class: "part" }, (k === at ? name : "").padEnd(10)), " ",
        h("span", { class: "octets" }, octets.map(hex).join(" ").padEnd(23)), " ",
        h("span", { class: "ascii" }, octets.map(ascii).join("")), "\n");
    }
  }
  if (event.size > event.octets.length) lines.append(`${event.size - event.octets.length} more octets: see the capture`);
  element.append(lines);
  return element;
}

// The named parts of an event's octets, and what lies between and behind them without a name.
function partsOf(event) {
  const parts = [];
  let at = 0;
  const upTo = (end, name) => {
    const stop = Math.min(end, event.octets.length);
    if (stop > at) parts.push([at, stop - at, name]);
    at = Math.max(at, stop);
  };
  for (const [start, size, name] of event.parts) {
    upTo(Number(start), "");
    upTo(Number(start) + Number(size), name);
  }
  upTo(event.octets.length, "");
  return parts;
}
