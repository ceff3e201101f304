// Counts of the results that fit, all in one pass. A count is a list with a number for each verdict.
const newCount = () => new Array(VERDICTS.length).fill(0);

function addTo(map, key, code) {
  let count = map.get(key);
  if (!count) map.set(key, count = newCount());
  count[code]++;
}

// by: verdict (verdicts not filtered), peer/chapter, pair/family, case, clause. shown: how many results fit.
function countAll(state) {
  const counts = { verdict: newCount(), peer: new Map(), pair: new Map(), case: new Map(), clause: new Map(), shown: 0 };
  const alone = new Map();
  visitResults(state, (subject, at, code, row, wanted) => {
    counts.verdict[code]++;
    if (!wanted) return;
    counts.shown++;
    const made = items[at].made;
    addTo(counts.case, made.n, code);
    if (subject.pair) {
      addTo(counts.pair, `${subject.n} ${made.family}`, code);
      addTo(counts.pair, `${subject.n} `, code);
    } else {
      for (const peer of subject.peers) {
        addTo(counts.peer, `${peer} ${made.chapter}`, code);
        addTo(counts.peer, `${peer} `, code);
      }
    }
    if (row >= 0 && rows[row].blamed >= 0) addTo(counts.clause, rows[row].blamed, code);
    else addTo(alone, made.n, code);
  });
  for (const [n, count] of alone) {
    for (const clause of new Set(cases[n].cited)) {
      if (state.clause && clauses[clause].id !== state.clause) continue;
      let sum = counts.clause.get(clause);
      if (!sum) counts.clause.set(clause, sum = newCount());
      count.forEach((number, code) => { sum[code] += number; });
    }
  }
  return counts;
}

const sumOf = (count) => count.reduce((sum, number) => sum + number, 0);
const judgedOf = (count) => sumOf(count) - count[UNSUPPORTED];
const goodOf = (count) => count[PASS] + count[INFO];
const worstOf = (count) => count.findIndex((number) => number > 0);
const countText = (count) => VERDICTS.map((verdict, code) => (count[code] ? `${count[code]} ${verdict.name}` : ""))
  .filter(Boolean).join(", ") || "nothing";
