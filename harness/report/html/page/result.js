// One result: the rule, what was expected and seen, the conversation, and how to see it again.
function resultView(state) {
  const subject = subjects.find((one) => one.label === state.of.peers && one.roles === state.of.cast);
  const item = items.find((one) => one.name === state.of.name);
  const at = subject && item ? item.n - subject.first : -1;
  const code = at < 0 ? NONE : subject.codes[at] ?? NONE;
  if (code === NONE) {
    return [h("h2", {}, "No such result"), h("p", {}, `${state.of.peers}: ${state.of.name}`)];
  }
  const row = subject.rows[at] < 0 ? null : rows[subject.rows[at]];
  return [
    h("p", { class: "back" }, h("a", { href: linkTo(state, { view: "cases", case: item.made.id }) }, "All results of this case"),
      neighbours(state, subject, item)),
    h("h2", { class: "result" }, badge(code), " ", h("span", { class: "name" }, item.name), " ",
      h("span", { class: "of" }, subject.label)),
    h("p", { class: "says" }, item.made.rule),
    facts(state, subject, item, code, row),
    againPart(subject, item, row),
    row && row.beside.talk !== undefined ? talkPart(D.talks[row.beside.talk], subject) : silence(row, code),
  ];
}

function neighbours(state, subject, item) {
  const found = [];
  visitResults({ ...state, case: item.made.id }, (one, at, code, row, wanted) => {
    if (wanted) found.push([one, items[at]]);
  });
  const here = found.findIndex(([one, other]) => one === subject && other === item);
  if (here < 0) return null;
  return [["Previous", found[here - 1]], ["Next", found[here + 1]]].map(([word, to]) => to && [" · ",
    h("a", { href: linkToResult(state, to[0], to[1]) }, word, h("span", { class: "hidden" }, " result of this case"))]);
}

function facts(state, subject, item, code, row) {
  const list = h("dl", { class: "facts" });
  const add = (name, ...value) => {
    if (value.flat(Infinity).some((part) => part)) list.append(h("dt", {}, name), h("dd", {}, value));
  };
  const text = (value) => value && h("span", { class: "said" }, value);
  add("Peer", subject.peers.map((n, at) => [at > 0 && " : ", peerText(peers[n])]), subject.roles && ` (${subject.roles})`);
  if (row) {
    const blamed = clauses[row.blamed];
    if (blamed) add("Clause", clauseText(state, blamed, row.level));
    add("Expected", text(row.expected));
    add("Actual", text(row.actual));
    if (!blamed || row.reason !== blamed.text) add("Reason", text(row.reason));
    add("Link", row.link && outside(row.link));
    add("Seen", row.notes.length > 0 && h("ul", {}, row.notes.map((note) => h("li", { class: "said" }, note))));
    if (row.security) add("Security", "A stranger may do harm with this: see SECURITY.md.");
    add("Took", `${row.ms} ms`);
  }
  if (code === UNSUPPORTED) add("Reason", text(whyUnsupported(subject, item.n)));
  const others = item.made.cited.filter((n) => !row || n !== row.blamed);
  const cited = h("ul", {}, others.map((n) => h("li", {}, clauseText(state, clauses[n], ""))));
  if (others.length && row && row.blamed >= 0) {
    add("Also cites", h("details", {}, h("summary", {}, plural(others.length, "other clause")), cited));
  } else if (others.length) add("Judges", cited);
  return list;
}

const peerText = (peer) => [h("strong", {}, peer.name), ` ${peer.title}`,
  peer.language && `, ${peer.language}`, peer.runtime && `, ${peer.runtime}`,
  peer.log && [" (", fileLink(peer.log, `log of ${peer.name}`), ")"]];

const clauseText = (state, clause, level) => [
  h("a", { href: linkTo(state, { view: "clauses", clause: clause.id, case: "", q: "" }) }, clause.id), " ",
  h("span", { class: "level" }, level || clause.level),
  clause.spec && h("span", { class: "where" }, `${clause.spec}, ${clause.where}`),
  clause.text && h("span", { class: "text" }, clause.text),
  clause.reading && h("span", { class: "reading" }, clause.reading)];

function againPart(subject, item, row) {
  const command = row && row.again ? row.again : expand(item.again + subject.tail, subject);
  const code = h("code", { tabindex: "0" }, command);
  const copy = h("button", { type: "button", onclick: async () => {
    await navigator.clipboard.writeText(command).then(() => say("The command is copied."),
      () => { getSelection().selectAllChildren(code); say("The command is selected."); });
  } }, "Copy");
  return h("section", { class: "again" }, h("h3", {}, "See it again"),
    h("div", { class: "command" }, code, copy),
    row && (row.beside.trace || row.beside.script) && h("p", {},
      row.beside.trace && [fileLink(row.beside.trace, "Capture for Wireshark"), " "],
      row.beside.script && [row.beside.trace && "· ", fileLink(row.beside.script, "Stand-alone script"), " (Python alone)"]));
}

function silence(row, code) {
  let why = "";
  if (row && row.security) why = "What a stranger could do harm with is kept out: see SECURITY.md.";
  else if (row && row.beside.why) why = row.beside.why;
  else if (code !== PASS && code !== UNSUPPORTED) why = "The run kept no capture of it.";
  return why && h("section", {}, h("h3", {}, "Conversation"), h("p", {}, why));
}
