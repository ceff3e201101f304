// The list of cases; each opens to its results, the worst first.
const opened = new Set();

function casesView(state, counts) {
  const chosen = cases.filter((made) => counts.case.has(made.n));
  const order = [...chosen].sort((a, b) => worstOf(counts.case.get(a.n)) - worstOf(counts.case.get(b.n)) || a.n - b.n);
  const list = h("ul", { class: "cases" });
  const only = order.length === 1 ? order[0].n : -1;
  const more = growing(order, (made) => caseEntry(state, made, counts.case.get(made.n), made.n === only),
    (made) => list.append(...made), 80);
  return [
    h("h2", {}, "Cases"),
    h("p", {}, `${plural(order.length, "case")}${order.length > 1 ? ", those with the worst verdicts first" : ""}. `,
      h("a", { href: linkTo(state, { view: "clauses" }) }, "The same by clause")),
    order.length ? [list, more] : nothing(),
  ];
}

function caseEntry(state, made, count, open) {
  const body = h("div", { class: "results" });
  const details = h("details", {},
    h("summary", {}, h("span", { class: "name" }, made.id), " ", chips(count), h("span", { class: "rule" }, made.rule)),
    body);
  const show = () => {
    if (details.open) opened.add(made.n);
    else opened.delete(made.n);
    if (details.open && !body.hasChildNodes()) body.append(...resultRows(state, made));
  };
  details.addEventListener("toggle", show);
  if (open || opened.has(made.n)) {
    details.open = true;
    show();
  }
  return h("li", {}, details);
}

function resultRows(state, made) {
  const found = [];
  visitResults({ ...state, case: made.id }, (subject, at, code, row, wanted) => {
    if (wanted) found.push({ subject, item: items[at], code, row });
  });
  found.sort((a, b) => a.code - b.code || a.item.n - b.item.n || a.subject.n - b.subject.n);
  const body = h("tbody");
  const more = growing(found, (one) => resultRow(state, one), (made) => body.append(...made));
  const cited = h("p", { class: "cited" }, "Judges ", made.cited.map((n, at) => [at ? ", " : "",
    h("a", { href: linkTo(state, { view: "clauses", clause: clauses[n].id, case: "", q: "" }) }, clauses[n].id)]));
  const table = h("table", { class: "list" }, h("caption", { class: "hidden" }, `Results of ${made.id}`),
    h("thead", {}, h("tr", {}, ["Verdict", "Peer", "Parameters", "What was seen"].map(
      (head) => h("th", { scope: "col" }, head)))), body);
  return [cited, scroller(`Results of ${made.id}`, table), more];
}

function resultRow(state, { subject, item, code, row }) {
  return h("tr", {},
    h("td", {}, badge(code)),
    h("td", {}, h("a", {
      href: linkToResult(state, subject, item),
      "aria-label": `${subject.label}: ${item.name}, ${VERDICTS[code].name}`,
    }, subject.label), subject.roles && ` (${subject.roles})`),
    h("td", {}, item.param, item.nth > 0 && ` (asked again, ${item.nth})`),
    h("td", { class: "seen wide" }, shortly(subject, item, code, row)));
}

// The one line that says most about a result.
function shortly(subject, item, code, row) {
  if (code === UNSUPPORTED) return whyUnsupported(subject, item.n);
  if (row < 0) return "";
  const one = rows[row];
  return one.actual || one.notes.join("; ") || one.reason;
}
