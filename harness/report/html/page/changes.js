// What is different from the run that this one is compared with.
function changesView(state) {
  const { against } = D;
  const words = wordsOf(state.q);
  const chosen = against.rows.filter(([, names, id, param, , , , now]) => {
    const fits = (key, value) => !state[key].size || value.some((one) => state[key].has(one));
    const verdict = now ? [VERDICTS[CODE_OF.get(now)].name] : [];
    const versions = names.map((name) => peers.find((peer) => peer.name === name)?.title);
    return fits("peer", names) && fits("chapter", [id.split("/")[0]]) && fits("verdict", verdict) && fits("version", versions)
      && words.every((word) => `${names.join(":")} ${id}[${param}]`.toLowerCase().includes(word));
  });
  return [
    h("h2", {}, "Changes"),
    h("p", {}, `Against the run of ${against.started || "an unknown time"} with zconform ${against.version}`,
      against.complete ? "." : ", which was not complete."),
    h("ul", { class: "tally" }, against.kinds.map((kind, n) => h("li", { class: against.counts[n] ? `kind${n}` : "none" },
      h("strong", {}, number.format(against.counts[n])), ` ${kind}`))),
    against.kinds.map((kind, n) => changesOf(state, kind, chosen.filter((row) => row[0] === n), against.counts[n])),
  ];
}

function changesOf(state, kind, mine, all) {
  if (!mine.length) return null;
  const body = h("tbody");
  const more = growing(mine, (row) => changeRow(state, row), (made) => body.append(...made), 50);
  const table = h("table", { class: "list" }, h("caption", { class: "hidden" }, kind),
    h("thead", {}, h("tr", {}, ["Peer", "Case", "Was", "Is", "Said before", "Says now"].map(
      (head) => h("th", { scope: "col" }, head)))), body);
  return h("section", {}, h("h3", {}, `${kind[0].toUpperCase()}${kind.slice(1)} (${number.format(all)})`),
    mine.length < all && h("p", {}, `${number.format(mine.length)} of them are listed here.`),
    scroller(kind, table), more);
}

function changeRow(state, [, names, id, param, subject, item, was, now, told, tells]) {
  const name = param ? `${id}[${param}]` : id;
  return h("tr", {},
    h("td", {}, names.join(":")),
    h("td", {}, subject < 0 ? name : h("a", { href: linkToResult(state, subjects[subject], items[item]) }, name,
      h("span", { class: "hidden" }, ` of ${names.join(":")}`))),
    h("td", {}, was ? badge(CODE_OF.get(was)) : "not asked"),
    h("td", {}, now ? badge(CODE_OF.get(now)) : "not asked"),
    h("td", { class: "seen" }, T[told]),
    h("td", { class: "seen" }, T[told] === T[tells] ? "the same" : T[tells]));
}
