// The coverage: every clause of the ledger, what it stands at, and what came of it in this run.
const openSpecs = new Set();

const STATES = {
  covered: "judged", OPEN: "not asked here", implied: "implied", permission: "a permission", ambiguous: "ambiguous",
  unobservable: "cannot be seen", optional: "optional", unknown: "not in the ledger",
};

function clausesView(state, counts) {
  const words = wordsOf(state.q);
  const named = (clause) => words.length > 0 && words.every(
    (word) => `${clause.id} ${clause.text} ${clause.where}`.toLowerCase().includes(word));
  const chosen = clauses.filter((clause) => (state.clause ? clause.id === state.clause
    : !isFiltered(state) || counts.clause.has(clause.n) || named(clause)));
  const specs = Map.groupBy ? Map.groupBy(chosen, (clause) => clause.spec) : groupBySpec(chosen);
  const few = chosen.length <= 60;
  return [
    h("h2", {}, "Clauses"),
    h("p", {}, `${number.format(chosen.length)} of ${number.format(clauses.length)} clauses. A result counts for the `,
      "clause that it blames, or else for all that its case cites."),
    chosen.length ? [...specs].map(([spec, mine]) => specEntry(state, counts, spec, mine, few)) : nothing(),
  ];
}

function groupBySpec(chosen) {
  const groups = new Map();
  for (const clause of chosen) groups.set(clause.spec, [...(groups.get(clause.spec) || []), clause]);
  return groups;
}

function specEntry(state, counts, spec, mine, few) {
  const sum = newCount();
  const states = new Map();
  for (const clause of mine) {
    (counts.clause.get(clause.n) || []).forEach((count, code) => { sum[code] += count > 0 ? 1 : 0; });
    states.set(clause.state, (states.get(clause.state) || 0) + 1);
  }
  const body = h("div", { class: "results" });
  const said = Object.keys(STATES).filter((name) => states.has(name))
    .map((name) => `${states.get(name)} ${STATES[name]}`).join(", ");
  const broken = mine.filter((clause) => isBroken(counts.clause.get(clause.n))).length;
  const details = h("details", { class: "spec" },
    h("summary", {}, h("span", { class: "name" }, spec || "unknown"), " ",
      h("span", { class: "rule" }, `${plural(mine.length, "clause")}: ${said}${broken ? `; ${broken} broken by some peer` : ""}`)),
    body);
  const show = () => {
    if (details.open) openSpecs.add(spec);
    else openSpecs.delete(spec);
    if (details.open && !body.hasChildNodes()) body.append(clauseTable(state, counts, spec, mine));
  };
  details.addEventListener("toggle", show);
  if (few || openSpecs.has(spec)) {
    details.open = true;
    show();
  }
  return details;
}

const isBroken = (count) => count && count[FAIL] + count[ERROR] + count[NON_STRICT] + count[KNOWN] > 0;

function clauseTable(state, counts, spec, mine) {
  const lines = mine.map((clause) => {
    const count = counts.clause.get(clause.n);
    return h("tr", {},
      h("th", { scope: "row" }, count
        ? h("a", { href: linkTo(state, { view: "cases", clause: clause.id, case: "" }) }, clause.id) : clause.id),
      h("td", {}, clause.level),
      h("td", { class: "text-of wide" }, h("span", { class: "where" }, clause.where), clause.text,
        clause.reading && h("span", { class: "reading" }, clause.reading)),
      h("td", { class: "wide" }, STATES[clause.state], clause.by && ` by ${clause.by}`,
        clause.cases.length > 0 && ` (${plural(clause.cases.length, "case")})`),
      h("td", {}, count ? chips(count) : "–"));
  });
  return scroller(`Clauses of ${spec}`, h("table", { class: "list" },
    h("caption", { class: "hidden" }, `Clauses of ${spec}`),
    h("thead", {}, h("tr", {}, ["Clause", "Level", "What it says", "Stands at", "Results"].map(
      (head) => h("th", { scope: "col" }, head)))), h("tbody", {}, lines)));
}
