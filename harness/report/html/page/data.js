// The tables of harness/report/html/tables.py, unpacked as far as every view needs them.
const D = JSON.parse(document.getElementById("data").textContent);
const T = D.texts;
const LABEL = "\ue000";
const NONE = 255;
const VERDICTS = [
  ["FAIL", "F", "✗"], ["ERROR", "E", "!"], ["NON_STRICT", "N", "~"], ["KNOWN", "K", "k"],
  ["INFO", "I", "i"], ["UNSUPPORTED", "U", "–"], ["PASS", "P", "✓"],
].map(([name, letter, mark]) => ({ name, letter, mark }));
const [FAIL, ERROR, NON_STRICT, KNOWN, INFO, UNSUPPORTED, PASS] = VERDICTS.keys();
const CODE_OF = new Map(VERDICTS.map((verdict, code) => [verdict.letter, code]));

const peers = D.peers.map(([name, library, version, language, runtime], n) => (
  { name, library, version, language, runtime, log: D.logs[n], title: `${library} ${version}`.trim() || "unknown" }));

const clauses = D.clauses.map(([id, level, spec, where, text, reading, judged, state, by, cases], n) => ({
  n, id, level: level || "", spec: T[spec || 0], where: T[where || 0], text: T[text || 0],
  reading: T[reading || 0], judged, state: state || "unknown", by: by || "", cases: cases || [],
}));

const cases = D.cases.map(([id, rule, cited], n) => {
  const [chapter, subject] = id.split("/");
  return { n, id, rule: T[rule], cited, chapter, family: `${chapter}/${subject}`, items: [] };
});

const items = D.items.map(([number, param, nth, again], n) => {
  const item = { n, made: cases[number], param, nth, again: T[again], hay: null };
  item.made.items.push(item);
  item.name = param ? `${item.made.id}[${param}]` : item.made.id;
  if (nth) item.name += ` (asked again, ${nth})`;
  return item;
});

const subjects = D.subjects.map(([mine, cast, first, letters, reasons, tail, seconds], n) => {
  const label = mine.map((peer) => peers[peer].name).join(":");
  const codes = Uint8Array.from(letters, (letter) => CODE_OF.get(letter) ?? NONE);
  const roles = cast.map(([role, peer]) => `${role} ${peers[peer].name}`).join(", ");
  return {
    n, peers: mine, roles, first, codes, reasons, tail: T[tail], seconds, label,
    pair: mine.length > 1 && cast.length === 0,
    rows: new Int32Array(codes.length).fill(-1),
    whys: null,
  };
});

const rows = D.details.map(
  ([subject, item, blamed, level, expected, actual, reason, link, notes, security, ms, again, beside], n) => {
    subjects[subject].rows[item - subjects[subject].first] = n;
    return {
      blamed, level: T[level], expected: T[expected], actual: T[actual], reason: T[reason], link: T[link],
      notes: notes.map((note) => T[note]), security: security === 1, ms, again: T[again], beside, hay: null,
    };
  });

const chapters = [...new Set(cases.map((made) => made.chapter))];
const total = subjects.reduce((sum, one) => sum + one.codes.reduce((n, code) => n + (code !== NONE), 0), 0);

const expand = (pattern, subject) => pattern.replaceAll(LABEL, subject.label);

// The level that a result is judged by: its blamed clause's, else that of the clause that its case names first.
const levelOf = (item, row) => (row && row.level) || clauses[item.made.cited[0]].level || "none";

// Why something was not supported: the texts come as runs, [text, how often, text, how often ...].
function whyUnsupported(subject, at) {
  if (subject.whys === null) {
    subject.whys = new Map();
    const flat = [];
    for (let n = 0; n < subject.reasons.length; n += 2) {
      for (let k = 0; k < subject.reasons[n + 1]; k++) flat.push(subject.reasons[n]);
    }
    let next = 0;
    subject.codes.forEach((code, n) => { if (code === UNSUPPORTED) subject.whys.set(n, flat[next++]); });
  }
  return expand(T[subject.whys.get(at - subject.first) ?? 0], subject);
}
