// Elements. Data comes in as text nodes and attributes only; no markup is ever made of it.
const SVG = "http://www.w3.org/2000/svg";

// Texts of others may hold what no screen should obey: controls and marks of direction show as escapes.
const HIDDEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g;
const safe = (text) => text.replace(HIDDEN, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : name === "aria-label" ? safe(value) : value);
  }
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    element.append(child instanceof Node ? child : document.createTextNode(safe(String(child))));
  }
  return element;
}

const h = (tag, attributes, ...children) => fill(document.createElement(tag), attributes, children);
const s = (tag, attributes, ...children) => fill(document.createElementNS(SVG, tag), attributes, children);
const $ = (id) => document.getElementById(id);
const number = new Intl.NumberFormat("en");
const plural = (count, word) => `${number.format(count)} ${word}${count === 1 ? "" : "s"}`;

// "2026-11-23T14:41:09+00:00" for a reader; anything else stays as it is.
const moment = (text) => text.replace(/^(\d{4}-\d\d-\d\d)T(\d\d:\d\d):[\d.]+(?:\+00:00|Z)$/, "$1 $2 UTC");

function duration(seconds) {
  if (seconds < 60) return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

const badge = (code) => h("span", { class: `badge ${VERDICTS[code].name}` },
  h("span", { "aria-hidden": "true" }, `${VERDICTS[code].mark} `), VERDICTS[code].name);

const chips = (count) => h("span", { class: "chips" }, VERDICTS.map((verdict, code) => count[code] > 0
  && h("span", { class: `chip ${verdict.name}` }, h("span", { "aria-hidden": "true" }, `${verdict.mark} `),
    number.format(count[code]), h("span", { class: "hidden" }, ` ${verdict.name}`), " ")));

// A link that leaves the page: to http and https only, everything else stays text.
function outside(address) {
  if (!/^https?:\/\/[^\s]+$/.test(address)) return address;
  return h("a", { href: address, rel: "noopener noreferrer external" }, address);
}

// A file beside the page; Python has seen that it is there and that its path is a plain one.
const fileLink = (path, text) => h("a", { href: path.split("/").map(encodeURIComponent).join("/") }, text);

// In a table of links the arrow keys go from cell to cell, and Tab goes past it.
function gridKeys(table) {
  const cells = [...table.rows].map((row) => [...row.querySelectorAll("a")]).filter((row) => row.length);
  cells.flat().forEach((link, n) => { link.tabIndex = n === 0 ? 0 : -1; });
  table.addEventListener("keydown", (event) => {
    const move = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
    const down = cells.findIndex((row) => row.includes(event.target));
    if (!move || down < 0) return;
    const across = cells[down].indexOf(event.target) + move[1];
    const row = cells[down + move[0]];
    const next = row && row[Math.min(Math.max(across, 0), row.length - 1)];
    if (!next) return;
    event.preventDefault();
    event.target.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  });
  return table;
}

const scroller = (label, table) => h("div", { class: "scroller", tabindex: "0", role: "region", "aria-label": label }, table);

// A list of rows that grows by a button, so that no view makes thousands of elements at once.
function growing(all, make, put, step = 100) {
  let shown = 0;
  const more = h("button", { type: "button", class: "more" });
  const grow = () => {
    put(all.slice(shown, shown + step).map(make));
    shown = Math.min(shown + step, all.length);
    more.textContent = `Show ${Math.min(step, all.length - shown)} more of ${number.format(all.length - shown)}`;
    more.hidden = shown === all.length;
  };
  more.addEventListener("click", grow);
  grow();
  return more;
}
