// What is shown: the view and the filters, both in the URL's fragment, such as #cases?peer=a&verdict=FAIL.
const FACETS = ["peer", "version", "chapter", "level"];
const KEYS = [...FACETS, "verdict"];
const OPTIONS = {
  peer: peers.map((peer) => peer.name),
  version: [...new Set(peers.map((peer) => peer.title))].sort(),
  chapter: chapters,
  level: [...new Set([...items.map((item) => levelOf(item, null)), ...rows.map((row) => row.level)])]
    .filter(Boolean).sort(),
  verdict: VERDICTS.map((verdict) => verdict.name),
};

function parseHash(hash) {
  const [view, query] = hash.replace(/^#/, "").split("?", 2);
  const asked = new URLSearchParams(query || "");
  const state = { view, q: asked.get("q") || "", clause: asked.get("clause") || "", case: asked.get("case") || "" };
  for (const key of KEYS) state[key] = new Set(asked.getAll(key).filter((value) => OPTIONS[key].includes(value)));
  if (view === "result") {
    state.of = { peers: asked.get("of") || "", name: asked.get("name") || "", cast: asked.get("cast") || "" };
  }
  return state;
}

function formatHash(state) {
  const query = new URLSearchParams();
  if (state.view === "result") {
    query.set("of", state.of.peers);
    if (state.of.cast) query.set("cast", state.of.cast);
    query.set("name", state.of.name);
  }
  for (const key of KEYS) for (const value of state[key]) query.append(key, value);
  for (const key of ["clause", "case", "q"]) if (state[key]) query.set(key, state[key]);
  const text = query.toString();
  return `#${state.view}${text ? `?${text}` : ""}`;
}

// The same filters with some of them changed: where a link leads.
function linkTo(state, change) {
  const next = { ...state, of: undefined, ...change };
  for (const key of KEYS) if (!(next[key] instanceof Set)) next[key] = new Set([].concat(next[key]));
  return formatHash(next);
}

const linkToResult = (state, subject, item) => linkTo(
  state, { view: "result", of: { peers: subject.label, name: item.name, cast: subject.roles } });

const isFiltered = (state) => KEYS.some((key) => state[key].size > 0) || state.q || state.clause || state.case;

// -- who fits --------------------------------------------------------------------------------------

function itemFlags(state) {
  const flags = new Uint8Array(items.length);
  items.forEach((item) => {
    const fits = (!state.case || item.made.id === state.case)
      && (!state.chapter.size || state.chapter.has(item.made.chapter));
    flags[item.n] = fits ? 1 : 0;
  });
  return flags;
}

function subjectFits(subject, state) {
  const has = (key, of) => !state[key].size || subject.peers.some((peer) => state[key].has(of(peers[peer])));
  return has("peer", (peer) => peer.name) && has("version", (peer) => peer.title);
}

function itemHay(item) {
  item.hay ??= [item.name, item.made.rule, ...item.made.cited.map((n) => clauses[n].id)].join("\n").toLowerCase();
  return item.hay;
}

function rowHay(row) {
  row.hay ??= [row.expected, row.actual, row.reason, ...row.notes, row.blamed < 0 ? "" : clauses[row.blamed].id]
    .join("\n").toLowerCase();
  return row.hay;
}

const wordsOf = (text) => text.toLowerCase().split(/\s+/).filter(Boolean);

// A function that says whether all words stand somewhere in a result.
function wordTest(text) {
  const words = wordsOf(text).map((word) => ({
    word,
    inItem: Uint8Array.from(items, (item) => (itemHay(item).includes(word) ? 1 : 0)),
    inSubject: subjects.map((one) => `${one.label} ${one.roles} ${one.peers.map((n) => peers[n].title).join(" ")}`
      .toLowerCase().includes(word)),
    inReason: new Map(),
  }));
  const inReason = (one, subject, at) => {
    const why = whyUnsupported(subject, at);
    if (!one.inReason.has(why)) one.inReason.set(why, why.toLowerCase().includes(one.word));
    return one.inReason.get(why);
  };
  return (subject, at, code, row) => words.every((one) => one.inItem[at] || one.inSubject[subject.n]
    || (row >= 0 && rowHay(rows[row]).includes(one.word)) || (code === UNSUPPORTED && inReason(one, subject, at)));
}

// A result speaks of the clause that it blames, or else of all that its case cites.
function speaksOf(item, row, clause) {
  const blamed = row >= 0 ? rows[row].blamed : -1;
  return blamed >= 0 ? blamed === clause : item.made.cited.includes(clause);
}

// Visit every result that fits, whatever its verdict: visit(subject, item, code, row, whether its verdict fits).
function visitResults(state, visit) {
  const flags = itemFlags(state);
  const words = wordsOf(state.q).length ? wordTest(state.q) : null;
  const clause = state.clause ? clauses.findIndex((one) => one.id === state.clause) : -1;
  const wanted = VERDICTS.map((verdict) => !state.verdict.size || state.verdict.has(verdict.name));
  for (const subject of subjects) {
    if (!subjectFits(subject, state)) continue;
    const { codes, first } = subject;
    for (let n = 0; n < codes.length; n++) {
      const code = codes[n];
      if (code === NONE || !flags[first + n]) continue;
      const row = subject.rows[n];
      if (state.level.size && !state.level.has(levelOf(items[first + n], rows[row]))) continue;
      if (state.clause && !speaksOf(items[first + n], row, clause)) continue;
      if (words && !words(subject, first + n, code, row)) continue;
      visit(subject, first + n, code, row, wanted[code]);
    }
  }
}
