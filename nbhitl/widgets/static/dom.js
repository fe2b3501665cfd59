// Elements, made of text only: nothing in these files sets innerHTML.

const SVG = "http://www.w3.org/2000/svg";

/** Characters that change how text around them reads without being seen themselves. */
const UNSEEN = /([\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff])/;

/** Text as nodes; characters that cannot be seen are spelled out, so that what is read is what is there. */
function textNodes(text) {
  return String(text)
    .split(UNSEEN)
    .filter((part) => part !== "")
    .map((part) => (UNSEEN.test(part) ? unseen(part) : document.createTextNode(part)));
}

function unseen(char) {
  const code = "U+" + char.codePointAt(0).toString(16).toUpperCase().padStart(4, "0");
  return h("span", { class: "nbh-unseen", title: `the invisible character ${code}` }, code);
}

/** An element. Children are nodes, text, lists of them, or null; props are attributes, `on…` listeners. */
function h(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "value") node.value = value;
    else node.setAttribute(name, value === true ? "" : value);
  }
  add(node, children);
  return node;
}

function add(node, children) {
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    if (child instanceof Node) node.append(child);
    else node.append(...textNodes(child));
  }
  return node;
}

/** A div of a class. */
function box(name, ...children) {
  return h("div", { class: name }, ...children);
}

/** A span of a class. */
function span(name, ...children) {
  return h("span", { class: name }, ...children);
}

/** What is wrong, beside its sign; read aloud when it appears. */
function problem(text, name = "nbh-error") {
  return h("p", { class: name, role: "alert" }, icon("warn"), text);
}

const ICONS = {
  pause: ["M6 3.5v9M10 3.5v9"],
  check: ["M3 8.5l3.2 3.2L13 4.6"],
  cross: ["M4 4l8 8M12 4l-8 8"],
  pencil: ["M3 13l.7-3.1 6.9-6.9 2.4 2.4-6.9 6.9z"],
  reply: ["M2.5 3.5h11v7.5H7l-3 2.5V11H2.5z"],
  warn: ["M8 2.5l6 11H2z", "M8 7v3M8 11.6v.4"],
  fold: ["M6 4l4 4-4 4"],
  stop: ["M4.5 4.5h7v7h-7z"],
  again: ["M12.8 8a4.8 4.8 0 1 1-1.5-3.5", "M12.9 2.4v2.8h-2.8"],
  choose: ["M4 8h8M8.5 4.5L12 8l-3.5 3.5"],
};

/** A small drawing beside a word; screen readers read the word. */
function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("class", "nbh-icon");
  svg.setAttribute("aria-hidden", "true");
  for (const d of ICONS[name] ?? []) {
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("d", d);
    svg.append(path);
  }
  return svg;
}

/** A button. `k` names it, so that focus finds it again when the card is drawn anew. */
function button(label, { tone = "plain", k, onclick, key, iconName, ...rest }) {
  const props = { type: "button", class: `nbh-button nbh-is-${tone}`, "data-k": k, onclick, ...rest };
  if (key) props["aria-keyshortcuts"] = key;
  return h("button", props, iconName && icon(iconName), h("span", {}, label), key && h("kbd", {}, key));
}

/** Seconds as a person says them: 0:42, 12:03, 3 h 10 min, 2 days. */
function spell(seconds) {
  const s = Math.max(0, Math.floor(seconds));
  if (s < 3600) return `${Math.floor(s / 60)}:${String(s % 60).padStart(2, "0")}`;
  if (s < 86400) return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
  const days = Math.floor(s / 86400);
  return days === 1 ? "1 day" : `${days} days`;
}

/** A text that counts up from a UTC time; `prefix` stands before it. */
function counter(prefix, since) {
  const start = Date.parse(since);
  const node = h("span", { class: "nbh-clock", "aria-hidden": "true", "data-since": since });
  node.tick = () => {
    node.textContent = prefix + spell((Date.now() - start) / 1000);
  };
  if (!Number.isNaN(start)) node.tick();
  return node;
}

/** A text that counts up from so many seconds ago, by the kernel's count. */
function stopwatch(prefix, elapsed) {
  return counter(prefix, new Date(Date.now() - elapsed * 1000).toISOString());
}

function plural(n, one, many = one + "s") {
  return `${n} ${n === 1 ? one : many}`;
}
