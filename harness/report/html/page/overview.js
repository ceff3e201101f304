// The two matrices: peers by chapters, pairs by patterns.
function bar(count) {
  const all = sumOf(count);
  let at = 0;
  return s("svg", { class: "bar", viewBox: "0 0 100 4", preserveAspectRatio: "none", "aria-hidden": "true" },
    [PASS, INFO, KNOWN, NON_STRICT, FAIL, ERROR, UNSUPPORTED].map((code) => {
      if (!count[code]) return null;
      const width = (100 * count[code]) / all;
      const rect = s("rect", { x: at, y: 0, width, height: 4, class: VERDICTS[code].name });
      at += width;
      return rect;
    }));
}

// What did not hold, the worst first. INFO did: the RFC leaves it open.
const BAD = [FAIL, ERROR, NON_STRICT, KNOWN];

function cell(count, href, name) {
  if (!count) return h("td", { class: "empty" }, "not asked");
  const judged = judgedOf(count);
  const bad = BAD.filter((code) => count[code]);
  return h("td", { class: VERDICTS[judged ? bad[0] ?? PASS : UNSUPPORTED].name },
    h("a", { href, "aria-label": `${name}: ${countText(count)}` },
      h("span", { class: "sum" }, judged ? `${number.format(goodOf(count))}/${number.format(judged)}` : "–"),
      bad.length > 0 && h("span", { class: "bad" },
        bad.map((code) => h("span", { class: VERDICTS[code].name }, `${VERDICTS[code].mark}${count[code]} `))),
      bar(count)));
}

const legend = () => h("p", { class: "legend" }, "A cell shows how many held of how many were judged, then what did not ",
  "hold: ", BAD.map((code) => [badge(code), " "]), "The grey part of its bar is what the peer does not claim.");

function matrix(caption, heads, lines) {
  const table = h("table", { class: "matrix" }, h("caption", { class: "hidden" }, caption),
    h("thead", {}, h("tr", {}, heads.map((head) => h("th", { scope: "col" }, head)))),
    h("tbody", {}, lines));
  return scroller(caption, gridKeys(table));
}

function peersView(state, counts) {
  const across = chapters.filter((chapter) => peers.some((_, n) => counts.peer.has(`${n} ${chapter}`)));
  const lines = peers.map((peer, n) => {
    const all = counts.peer.get(`${n} `);
    if (!all) return null;
    return h("tr", {},
      h("th", { scope: "row" }, h("a", { href: linkTo(state, { view: "cases", peer: peer.name }) }, peer.name),
        h("span", { class: "version" }, peer.title)),
      cell(all, linkTo(state, { view: "cases", peer: peer.name }), `${peer.name}, all chapters`),
      across.map((chapter) => cell(counts.peer.get(`${n} ${chapter}`),
        linkTo(state, { view: "cases", peer: peer.name, chapter }), `${peer.name}, ${chapter}`)));
  });
  if (!lines.some(Boolean)) return [h("h2", {}, "Peers by chapters"), nothing()];
  return [h("h2", {}, "Peers by chapters"), legend(),
    matrix("Peers by chapters of the suite", ["Peer", "all", ...across], lines)];
}

function pairsView(state, counts) {
  const pairs = subjects.filter((subject) => counts.pair.has(`${subject.n} `));
  const families = [...new Set(cases.map((made) => made.family))]
    .filter((family) => pairs.some((pair) => counts.pair.has(`${pair.n} ${family}`)));
  const lines = pairs.map((pair) => {
    const [first, second] = pair.peers.map((n) => peers[n]);
    return h("tr", {},
      h("th", { scope: "row" }, h("a", { href: pairLink(state, pair, "") }, `${first.name}:`, h("wbr"), second.name),
        h("span", { class: "version" }, `${first.title} : ${second.title}`)),
      cell(counts.pair.get(`${pair.n} `), pairLink(state, pair, ""), `${pair.label}, all patterns`),
      families.map((family) => cell(counts.pair.get(`${pair.n} ${family}`), pairLink(state, pair, family),
        `${pair.label}, ${family}`)));
  });
  if (!pairs.length) return [h("h2", {}, "Pairs by patterns"), nothing()];
  const heads = families.map((family) => family.split("/")[1]);
  return [h("h2", {}, "Pairs by patterns"), legend(),
    matrix("Pairs of peers by patterns", ["Pair", "all", ...heads], lines)];
}

// One pair's results: its label is a word that no other has.
const pairLink = (state, pair, family) => linkTo(
  state, { view: "cases", peer: pair.peers.map((n) => peers[n].name), q: `${pair.label} ${family}`.trim() });

const nothing = () => h("p", { class: "nothing" }, "No result fits these filters.");
