// Fields to type into. A field is {name, title, kind, raw, description, required, choices}; what was typed
// is kept in `draft`, by name, until it is sent: text as typed, booleans, and the index of a choice.

const LONG = 60;

/** The control for one field. `draft` gets what is typed; `changed` is called after each change. */
function control(field, draft, changed, ids) {
  const now = field.name in draft ? draft[field.name] : field.raw;
  const put = (value) => {
    draft[field.name] = value;
    changed(field);
  };
  const props = { id: ids.input, "data-k": ids.k, "aria-describedby": `${ids.error} ${ids.hint}` };
  if (field.kind === "boolean") return checkbox(now, put, props);
  if (field.kind === "choice") return choice(field, now, put, props);
  const code = field.kind === "json" || field.code;
  const text = String(now ?? "");
  const long = code || field.kind === "longtext" || text.length > LONG || text.includes("\n");
  return long ? area(now, put, props, code) : line(field, now, put, props);
}

function checkbox(now, put, props) {
  const box = h("input", { type: "checkbox", class: "nbh-check", ...props });
  box.checked = now === true;
  const word = h("span", {}, String(box.checked));
  box.addEventListener("change", () => {
    word.textContent = String(box.checked);
    put(box.checked);
  });
  return h("label", { class: "nbh-checkline" }, box, word);
}

function choice(field, now, put, props) {
  const none = now === null || now === undefined ? h("option", { value: "" }, "choose…") : null;
  const options = field.choices.map((label, i) => h("option", { value: String(i) }, label));
  const select = h("select", { class: "nbh-input", ...props }, none, options);
  select.value = now === null || now === undefined ? "" : String(now);
  select.addEventListener("change", () => put(select.value === "" ? null : Number(select.value)));
  return select;
}

function line(field, now, put, props) {
  const number = field.kind === "integer" || field.kind === "number";
  const mode = { integer: "numeric", number: "decimal" }[field.kind] ?? "text";
  const input = h("input", { type: "text", inputmode: mode, class: "nbh-input", spellcheck: "false", ...props });
  if (number) input.classList.add("nbh-mono");
  input.value = now ?? "";
  input.addEventListener("input", () => put(input.value));
  return input;
}

function area(now, put, props, code) {
  const input = h("textarea", { class: "nbh-input", rows: "1", spellcheck: "false", ...props });
  if (code) input.classList.add("nbh-mono");
  input.value = now ?? "";
  input.addEventListener("input", () => {
    fit(input);
    put(input.value);
  });
  input.fits = () => fit(input);
  return input;
}

/** Make a text area as high as its text, up to a point. */
function fit(input) {
  input.style.height = "auto";
  input.style.height = `${Math.min(input.scrollHeight + 2, 360)}px`;
}

/** Text areas can only be measured once they stand in the page. */
function fitAll(root) {
  for (const input of root.querySelectorAll("textarea")) input.fits?.();
}

/** Whether what was typed differs from what the field started with. */
function isChanged(field, draft) {
  if (!(field.name in draft)) return false;
  const now = draft[field.name];
  return now !== field.raw && !(now === "" && field.raw === null);
}

/** What a raw value looks like in a diff. */
function rawText(field, raw) {
  if (raw === null || raw === undefined) return null;
  return field.kind === "choice" ? field.choices[raw] : String(raw);
}

/** The changes that a draft makes: [{name, old, now}, ...]. */
function draftChanges(fields, draft) {
  return fields
    .filter((field) => isChanged(field, draft))
    .map((field) => ({ name: field.title, old: rawText(field, field.raw), now: rawText(field, draft[field.name]) }));
}

/** A row of the form: label, control, mark, error. Gives back the row and what can change in it. */
function fieldRow(field, draft, changed, error, prefix) {
  const name = `${prefix}-${field.name}`;
  const ids = { input: name, error: `${name}-e`, hint: `${name}-h`, k: `${prefix}:${field.name}` };
  const mark = h("span", { class: "nbh-changed" }, "changed");
  const says = h("p", { class: "nbh-error", id: ids.error, role: "alert" });
  const input = control(field, draft, () => { show(); changed(); }, ids);
  const target = input.matches("input,select,textarea") ? input : input.querySelector("input");
  const show = () => (mark.style.visibility = isChanged(field, draft) ? "visible" : "hidden");
  const blame = (text) => {
    says.replaceChildren(...(text ? [icon("warn"), ...textNodes(text)] : []));
    target.toggleAttribute("aria-invalid", Boolean(text));
    if (text) target.setAttribute("aria-invalid", "true");
  };
  const optional = field.required === false ? h("span", { class: "nbh-optional" }, "optional") : null;
  const label = h("label", { for: ids.input }, field.title, optional);
  const hint = field.description ? h("p", { class: "nbh-note", id: ids.hint }, field.description) : null;
  const head = h("th", { scope: "row" }, box("nbh-name", label, mark));
  const row = h("tr", { class: "nbh-field" }, head, h("td", {}, input, hint, says));
  show();
  blame(error);
  return { row, blame };
}

/** A choice of ready-made texts: a click puts one into the input beside it. */
function chips(label, texts, pick, prefix) {
  if (!texts.length) return null;
  const items = texts.map((text, i) =>
    h("button", { type: "button", class: "nbh-chip", "data-k": `${prefix}:${i}`, onclick: () => pick(i) }, text),
  );
  return h("div", { class: "nbh-chips", role: "group", "aria-label": label }, items);
}
