// Values as a person reads them. Each arrives as a block: {t: "text" | "code" | "plain" | "table" | "json", ...}.

const CLAMP_LINES = 8;
const CLAMP_CHARS = 600;

/** The element for one block. `open` is the set of folds that stand open, `id` this one's name in it. */
function block(value, open, id) {
  const draw = { text: drawText, code: drawCode, plain: drawPlain, table: drawTable, json: drawJson };
  return (draw[value.t] ?? drawText)(value, open, id);
}

function drawPlain(value) {
  return h("code", { class: "nbh-plain" }, value.text);
}

function drawText(value, open, id) {
  return clamped(h("div", { class: "nbh-text" }, value.text), value, open, id);
}

function drawCode(value, open, id) {
  const code = h("code", {}, value.lang === "sql" ? sqlParts(value.text) : value.text);
  return clamped(h("pre", { class: "nbh-code" }, code), value, open, id);
}

/** Long values show their head, and a button that says how much there is. */
function clamped(node, value, open, id) {
  const lines = value.text.split("\n").length;
  const cut = value.cut ? h("p", { class: "nbh-note" }, value.cut) : null;
  if (lines <= CLAMP_LINES && value.text.length <= CLAMP_CHARS) return cut ? h("div", {}, node, cut) : node;
  const size = lines > CLAMP_LINES ? plural(lines, "line") : `${value.text.length.toLocaleString("en")} characters`;
  const whole = open.has(id);
  node.classList.toggle("nbh-clamped", !whole);
  const more = h("button", { type: "button", class: "nbh-more", "data-k": `more:${id}`, "aria-expanded": String(whole) });
  const say = () => {
    more.textContent = open.has(id) ? "show less" : `show all · ${size}`;
    more.setAttribute("aria-expanded", String(open.has(id)));
  };
  more.addEventListener("click", () => {
    if (!open.delete(id)) open.add(id);
    node.classList.toggle("nbh-clamped", !open.has(id));
    say();
  });
  say();
  return h("div", {}, node, cut, more);
}

function drawTable(value, open, id) {
  const right = (i) => (value.numbers[i] ? "nbh-number" : "");
  const head = value.columns.map((name, i) => h("th", { scope: "col", class: right(i) }, name));
  const drawCell = (cell, i) => h("td", { class: `${right(i)} ${cell.dim ? "nbh-dim" : ""}` }, cell.text);
  const body = value.rows.map((row) => h("tr", {}, row.map(drawCell)));
  const { few, title } = value;
  const parts = [h("caption", {}, title), h("thead", {}, h("tr", {}, head)), h("tbody", {}, body)];
  const region = { class: "nbh-scroll", tabindex: "0", role: "region", "aria-label": title };
  const wrap = h("div", region, h("table", { class: "nbh-table" }, parts));
  const note = value.cut ? h("p", { class: "nbh-note" }, value.cut) : null;
  if (body.length <= few) return h("div", {}, wrap, note);
  const more = h("button", { type: "button", class: "nbh-more", "data-k": `more:${id}` });
  const show = () => {
    body.forEach((row, i) => (row.hidden = i >= few && !open.has(id)));
    more.textContent = open.has(id) ? `show ${few} rows` : `show all ${value.rows.length} rows`;
    more.setAttribute("aria-expanded", String(open.has(id)));
  };
  more.addEventListener("click", () => {
    if (!open.delete(id)) open.add(id);
    show();
  });
  show();
  return h("div", {}, wrap, note, more);
}

function drawJson(value, open, id) {
  if (value.text.length <= 80 && !value.text.includes("\n")) return h("code", { class: "nbh-plain" }, value.text);
  return fold(value.brief, () => h("pre", { class: "nbh-code" }, h("code", {}, value.text)), open, id);
}

/** A line that opens. What is inside is made when it is first opened. */
function fold(label, inside, open, id) {
  const box = h("details", { class: "nbh-fold" }, h("summary", { "data-k": `fold:${id}` }, icon("fold"), label));
  const fill = () => box.childElementCount === 1 && box.append(inside());
  if (open.has(id)) {
    box.open = true;
    fill();
  }
  box.addEventListener("toggle", () => {
    if (box.open) open.add(id);
    else open.delete(id);
    fill();
  });
  return box;
}

const SQL_WORDS = new Set(
  `add all alter and as asc begin between by case commit create delete desc distinct drop else end exists from
  group having if in index inner insert into is join left like limit not null offset on or order outer primary
  references returning right rollback select set table then union unique update using values view when where
  with`.split(/\s+/),
);

/** A statement with its words, strings, numbers and comments told apart. */
function sqlParts(text) {
  const tokens = text.match(/--[^\n]*|'(?:[^']|'')*'|"(?:[^"]|"")*"|[A-Za-z_]\w*|\d+(?:\.\d+)?|\s+|[^]/g) ?? [];
  return tokens.map((token) => {
    if (token.startsWith("--")) return h("span", { class: "nbh-c" }, token);
    if (token[0] === "'") return h("span", { class: "nbh-s" }, token);
    if (/^\d/.test(token)) return h("span", { class: "nbh-n" }, token);
    if (SQL_WORDS.has(token.toLowerCase())) return h("span", { class: "nbh-w" }, token);
    return token;
  });
}

// Diffs: what was there, struck through; what is there instead, underlined.

const DIFF_MOST = 400_000;

/** The parts of a change from one text to another: [["=" | "-" | "+", text], ...]. */
function diffParts(old, now) {
  const split = (text) => text.match(/\s+|\w+|[^\s\w]/gu) ?? [];
  const a = split(old);
  const b = split(now);
  if (a.length * b.length > DIFF_MOST) return [["-", old], ["+", now]];
  const parts = [];
  const put = (sign, text) => {
    const last = parts[parts.length - 1];
    if (last && last[0] === sign) last[1] += text;
    else parts.push([sign, text]);
  };
  const len = longest(a, b);
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      put("=", a[i++]);
      j++;
    } else if (j === b.length || (i < a.length && len[i + 1][j] >= len[i][j + 1])) put("-", a[i++]);
    else put("+", b[j++]);
  }
  return parts;
}

/** For each pair of tails, how many tokens they have in common, in order. */
function longest(a, b) {
  const len = Array.from({ length: a.length + 1 }, () => new Uint32Array(b.length + 1));
  for (let i = a.length - 1; i >= 0; i--)
    for (let j = b.length - 1; j >= 0; j--)
      len[i][j] = a[i] === b[j] ? len[i + 1][j + 1] + 1 : Math.max(len[i + 1][j], len[i][j + 1]);
  return len;
}

/** One row of a diff: the field's name and its change. `old` or `now` is null where it was added or removed. */
function diffRow(name, old, now) {
  const parts = old === null ? [["+", now]] : now === null ? [["-", old]] : diffParts(old, now);
  const kept = parts.some(([sign]) => sign === "=");
  const nodes = parts.map(([sign, text], i) => {
    if (sign === "=") return text;
    const before = !kept && i > 0 ? " " : "";
    return [before, h(sign === "-" ? "del" : "ins", {}, text === "" ? "(empty)" : text)];
  });
  return h("tr", {}, h("th", { scope: "row" }, name), h("td", {}, h("div", { class: "nbh-diff" }, nodes)));
}

/** The table of changes: [{name, old, now}, ...]. */
function diffTable(changes, label) {
  const rows = changes.map((change) => diffRow(change.name, change.old, change.now));
  return h("table", { class: "nbh-args nbh-changes", "aria-label": label }, h("tbody", {}, rows));
}
