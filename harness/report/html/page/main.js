// The page as a whole: its head, the filters' form, and which view is shown.
const VIEWS = [
  ["peers", "Peers", peersView, () => subjects.some((one) => !one.pair)],
  ["pairs", "Pairs", pairsView, () => subjects.some((one) => one.pair)],
  ["cases", "Cases", casesView, () => true],
  ["clauses", "Clauses", clausesView, () => true],
  ["changes", "Changes", changesView, () => Boolean(D.against)],
].filter(([, , , there]) => there());
let state = null;

const say = (text) => { $("status").textContent = text; };

function head() {
  const { run } = D;
  const facts = [`suite ${run.version || "of unknown version"}`, run.started && `begun ${moment(run.started)}`,
    run.duration_s > 0 && `took ${duration(run.duration_s)}`, `seed ${run.seed}`,
    plural(peers.length, "peer"), plural(total, "result")].filter(Boolean);
  $("about").textContent = facts.join(" · ");
  const warnings = [];
  if (!run.ended) warnings.push("Incomplete: the run was broken off, and these are the results that it left.");
  else if (!run.complete) warnings.push("Incomplete: not every case was asked.");
  $("warnings").append(...warnings.map((text) => h("p", { class: "warning" }, text)));
  if (run.problems.length) {
    $("warnings").append(h("details", { class: "warning" },
      h("summary", {}, `${plural(run.problems.length, "problem")} beside the verdicts`),
      h("ul", {}, run.problems.map((problem) => h("li", {}, problem)))));
  }
}

// -- the form --------------------------------------------------------------------------------------

const box = (key, value, label) => h("label", { class: key === "verdict" ? "verdict" : null },
  h("input", { type: "checkbox", name: key, value }), label);

function buildForm() {
  $("facets").append(...FACETS.map((key) => h("details", { class: "facet", id: `facet-${key}` },
    h("summary", {}, `${key[0].toUpperCase()}${key.slice(1)} `, h("span", { class: "chosen" }, "all")),
    h("fieldset", {}, h("legend", { class: "hidden" }, `Show only this ${key}`),
      OPTIONS[key].map((value) => box(key, value, ` ${value}`))))));
  $("verdicts").append(...VERDICTS.map((verdict, code) => box("verdict", verdict.name,
    [" ", badge(code), " ", h("span", { class: "count" })])));
  const form = $("filters");
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", () => { readForm(); change(); });
  $("clear").addEventListener("click", () => {
    for (const key of KEYS) state[key] = new Set();
    Object.assign(state, { q: "", clause: "", case: "" });
    writeForm();
    change();
  });
  const facets = [...document.querySelectorAll(".facet")];
  document.addEventListener("click", (event) => facets.forEach((facet) => {
    if (!facet.contains(event.target)) facet.open = false;
  }));
  form.addEventListener("keydown", (event) => {
    const facet = event.target.closest(".facet[open]");
    if (event.key !== "Escape" || !facet) return;
    facet.open = false;
    facet.querySelector("summary").focus();
  });
}

function readForm() {
  for (const key of KEYS) {
    state[key] = new Set([...document.querySelectorAll(`input[name="${key}"]:checked`)].map((input) => input.value));
  }
  state.q = $("text").value.trim();
}

function writeForm() {
  for (const key of KEYS) {
    for (const input of document.querySelectorAll(`input[name="${key}"]`)) input.checked = state[key].has(input.value);
  }
  if ($("text").value.trim() !== state.q) $("text").value = state.q;
}

function showForm(counts) {
  for (const key of FACETS) {
    const chosen = [...state[key]];
    $(`facet-${key}`).querySelector(".chosen").textContent = chosen.length === 0 ? "all"
      : chosen.length === 1 ? chosen[0] : `${chosen.length} chosen`;
  }
  document.querySelectorAll("#verdicts .count").forEach((element, code) => {
    element.textContent = number.format(counts.verdict[code]);
  });
  const only = [["clause", state.clause], ["case", state.case]].filter(([, value]) => value);
  $("only").hidden = only.length === 0;
  $("only").replaceChildren(...only.map(([key, value]) => h("button", { type: "button", class: "one", onclick: () => {
    state[key] = "";
    change();
  } }, `${key} ${value} `, h("span", { "aria-hidden": "true" }, "✕"), h("span", { class: "hidden" }, "(remove)"))));
  $("clear").disabled = !isFiltered(state);
}

// -- views -----------------------------------------------------------------------------------------

// A filter changes what is shown at once, and the URL with it, but is no step to go back to.
function change() {
  if (state.view === "result") state.view = "cases";
  history.replaceState(null, "", linkTo(state, { view: state.view }));
  show();
}

function show() {
  const counts = countAll(state);
  const view = VIEWS.find(([name]) => name === state.view);
  showForm(counts);
  $("views").replaceChildren(...VIEWS.map(([name, title]) => h("li", {},
    h("a", { href: linkTo(state, { view: name }), "aria-current": name === state.view ? "page" : null }, title))));
  const made = view ? view[2](state, counts) : resultView(state);
  $("main").replaceChildren(...made.flat(Infinity).filter(Boolean));
  document.body.dataset.view = state.view;
  say(`${number.format(counts.shown)} of ${number.format(total)} results`);
}

function read() {
  const before = state && state.view;
  state = parseHash(location.hash);
  if (state.view !== "result" && !VIEWS.some(([name]) => name === state.view)) state.view = VIEWS[0][0];
  writeForm();
  show();
  const title = $("main").querySelector("h2");
  document.title = `zconform: ${title ? title.textContent : ""}`;
  if (before === null) return;
  if (before !== state.view || state.view === "result") {
    scrollTo(0, 0);
    $("main").focus({ preventScroll: true });
  }
}

head();
buildForm();
$("skip").addEventListener("click", () => { $("main").focus(); $("main").scrollIntoView(); });
addEventListener("hashchange", read);
read();
