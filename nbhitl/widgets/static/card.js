// One question. `state` comes from Python and says everything that is so; `ui` is what this reader is doing
// with it: which panel is open, what was typed, which folds stand open.

const VERBS = {
  approve: { label: "Approve", tone: "primary", key: "a", iconName: "check" },
  edit: { label: "Edit", tone: "plain", key: "e", iconName: "pencil" },
  respond: { label: "Respond", tone: "plain", key: "r", iconName: "reply" },
  reject: { label: "Reject", tone: "danger", key: "x", iconName: "cross" },
};

const SLOW_MS = 4000;

function newUi(state) {
  const ui = { digest: state.digest, mode: null, drafts: {}, reason: "", route: "", reply: "", as: "text", json: "", open: new Set(), picks: {}, sent: null };
  ui.mode = ui.home = state.home;
  ui.as = state.free_text ? "text" : "json";
  return ui;
}

/** Draws one card, and draws it again when its state or its ui changes. */
class Card {
  constructor(view, state, ui) {
    this.view = view;
    this.id = `nbh${view.serial}-${state.key}`;
    this.el = h("article", { class: "nbh-card", tabindex: "0", role: "group", "aria-labelledby": `${this.id}-q`, "data-card": state.key });
    this.el.addEventListener("keydown", (event) => this.onKey(event));
    this.set(state, ui);
  }

  set(state, ui) {
    this.state = state;
    this.ui = ui;
    if (ui.sent !== null && ui.sent.rev !== state.rev) ui.sent = null;
    this.draw();
  }

  get phase() {
    return this.ui.sent ? "sending" : this.state.phase;
  }

  get batch() {
    return this.state.items.length > 1;
  }

  draw() {
    const { state, phase } = this;
    const focus = rememberFocus(this.el);
    this.el.dataset.phase = phase;
    this.el.dataset.tone = phase === "decided" ? state.record.tone : phase;
    this.blames = {};
    const small = state.folded && (phase === "decided" || phase === "stale");
    const body = small
      ? [this.footer(), fold("what was shown", () => h("div", {}, this.question(), this.body()), this.ui.open, "shown")]
      : [this.question(), this.body(), this.panel(), this.footer()];
    this.el.replaceChildren();
    add(this.el, [this.header(), h("div", { class: "nbh-body" }, body)]);
    fitAll(this.el);
    focus();
  }

  header() {
    const { state, phase } = this;
    const [word, iconName] = PHASES[phase] ?? PHASES.open;
    const starts = state.starts > 1 ? `started ${state.starts}×` : null;
    const clock = phase === "open" && state.asked_at ? counter("waiting ", state.asked_at) : null;
    const meta = [starts, clock].filter(Boolean).flatMap((part, i) => (i ? [" · ", part] : [part]));
    return h(
      "header",
      { class: "nbh-head", title: state.why || null },
      h("span", { class: "nbh-phase" }, icon(phase === "decided" ? TONES[state.record.tone] : iconName), word),
      h("span", { class: "nbh-node" }, state.node),
      h("span", { class: "nbh-thread" }, state.thread),
      h("span", { class: "nbh-meta" }, meta),
    );
  }

  question() {
    const { state } = this;
    const problem = state.problem ? h("p", { class: "nbh-problem", role: "note" }, icon("warn"), h("span", {}, "Asked again: ", state.problem)) : null;
    const text = h("div", { class: "nbh-question", id: `${this.id}-q` }, state.question);
    return [problem, state.question.length > 280 ? h("div", { class: "nbh-longq" }, text) : text];
  }

  body() {
    const { state, ui } = this;
    const items = state.items.map((item, i) => (this.batch ? this.batchItem(item, i) : this.single(item, i)));
    const details = state.details.length ? [argsTable(state.details, ui.open, "detail", "details")] : [];
    const tables = state.tables.map((table, i) => block(table, ui.open, `table${i}`));
    const folds = state.folds.map((part) => this.context(part));
    return [items, details, tables, folds.length ? h("div", { class: "nbh-folds" }, folds) : null];
  }

  /** A fold under the question. One without rows is fetched from the kernel when it is first opened. */
  context(part) {
    const inside = () => {
      if (part.rows === null) this.view.post({ type: part.name, card: this.state.key });
      return part.rows === null ? h("p", { class: "nbh-note" }, "loading…") : argsTable(part.rows, this.ui.open, `in-${part.name}`, part.label) ?? h("p", { class: "nbh-note" }, "nothing");
    };
    return fold(part.label, inside, this.ui.open, `f-${part.name}`);
  }

  single(item, i) {
    const editing = this.ui.mode === "edit" && this.phase === "open";
    const name = item.name && item.name !== this.state.node ? h("div", { class: "nbh-action" }, h("code", {}, item.name)) : null;
    const said = item.description ? h("p", { class: "nbh-text" }, item.description) : null;
    return h("section", {}, name, said, editing ? this.editForm(item, i) : argsTable(item.rows, this.ui.open, `arg${i}`, "arguments"));
  }

  // Edit: fields in the place of the values, and what they change below.

  editForm(item, i) {
    const draft = (this.ui.drafts[i] ??= {});
    const errors = this.state.errors[i] ?? {};
    const changes = h("div", { class: "nbh-preview", role: "group", "aria-label": "what would change", "aria-live": "polite" });
    const update = () => {
      const made = draftChanges(item.fields, draft);
      changes.replaceChildren(made.length ? diffTable(made, "changes") : h("p", { class: "nbh-note" }, "No changes yet."),
      ...(made.length && this.state.tables.length ? [h("p", { class: "nbh-note" }, "The rows below are those of the question as it was asked.")] : []),
    );
      this.relabel?.(this.countChanges());
      this.view.check(this);
    };
    const rows = item.fields.map((field) => {
      const { row, blame } = fieldRow(field, draft, update, errors[field.name], `${this.id}-${i}`);
      (this.blames[i] ??= {})[field.name] = blame;
      return row;
    });
    const fixed = item.rows.filter((row) => !item.fields.some((field) => field.name === row.name)).map((row, k) => argRow(row, this.ui.open, `fixed${k}`));
    const wrong = errors[""] ? h("p", { class: "nbh-error", role: "alert" }, icon("warn"), errors[""]) : null;
    update();
    return [h("table", { class: "nbh-args nbh-form" }, h("tbody", {}, rows, fixed)), wrong, changes];
  }

  countChanges() {
    return this.state.items.reduce((n, item, i) => n + draftChanges(item.fields, this.ui.drafts[i] ?? {}).length, 0);
  }

  // Panels: what opens between the question and the buttons.

  panel() {
    if (this.phase !== "open") return null;
    const draw = { reject: () => this.rejectPanel(), respond: () => this.respondPanel(), answer: () => this.answerPanel(), form: () => this.formPanel() }[this.ui.mode];
    const wrong = this.ui.mode !== "edit" && this.state.errors.whole;
    return [draw ? h("div", { class: "nbh-panel" }, draw()) : null, wrong ? h("p", { class: "nbh-error", role: "alert" }, icon("warn"), wrong) : null];
  }

  rejectPanel() {
    const { state, ui } = this;
    const input = h("input", { type: "text", class: "nbh-input", id: `${this.id}-why`, "data-k": "why",  placeholder: "optional" });
    input.value = ui.reason;
    input.addEventListener("input", () => (ui.reason = input.value));
    const pick = (i) => {
      ui.reason = input.value = state.reasons[i];
      input.focus();
    };
    const goes = h("select", { class: "nbh-input nbh-narrow", id: `${this.id}-route`, "data-k": "route" }, state.routes.map((route) => h("option", { value: route.name }, route.label)));
    goes.value = ui.route || state.routes[0]?.name || "";
    goes.addEventListener("change", () => (ui.route = goes.value));
    return [
      h("label", { class: "nbh-label", for: `${this.id}-why` }, "Why not?"),
      chips("reasons", state.reasons, pick, "reason"),
      input,
      state.routes.length ? [h("label", { class: "nbh-label", for: `${this.id}-route` }, "Go on at"), goes] : null,
    ];
  }

  respondPanel() {
    const input = this.writing("reply", `${this.id}-reply`, "goes to the agent in place of running this");
    return [h("label", { class: "nbh-label", for: `${this.id}-reply` }, "Your reply"), input];
  }

  writing(name, id, placeholder, code) {
    return area(this.ui[name], (value) => { this.ui[name] = value; }, { id, "data-k": name, placeholder }, code);
  }

  answerPanel() {
    const { state, ui } = this;
    const as = (kind) => () => {
      ui.as = kind;
      this.view.redraw(this, kind === "json" ? "json" : "reply");
    };
    const tab = (kind, label) => h("button", { type: "button", class: "nbh-tab", role: "tab", "data-k": `as:${kind}`, "aria-selected": String(ui.as === kind), onclick: as(kind) }, label);
    const pick = (i) => {
      ui.json = state.ready[i].text;
      as("json")();
    };
    const id = `${this.id}-answer`;
    const text = ui.as === "text";
    const tabs = state.free_text && state.ready.length ? h("div", { class: "nbh-tabs", role: "tablist", "aria-label": "what is sent" }, tab("text", "text"), tab("json", "JSON")) : null;
    return [
      h("div", { class: "nbh-split" }, h("label", { class: "nbh-label", for: id }, "Your answer"), tabs),
      text ? this.writing("reply", id, "sent as text") : this.writing("json", id, "any JSON value: true, 3, \"text\", {\"a\": 1}", true),
      state.ready.length ? h("div", { class: "nbh-note" }, "Ready-made values, to pick and change:") : null,
      chips("ready-made values", state.ready.map((value) => value.label), pick, "ready"),
    ];
  }

  formPanel() {
    const draft = (this.ui.drafts.form ??= {});
    const errors = this.state.errors.form ?? {};
    const rows = this.state.form.map((field) => {
      const { row, blame } = fieldRow(field, draft, () => this.view.check(this), errors[field.name], `${this.id}-form`);
      (this.blames.form ??= {})[field.name] = blame;
      return row;
    });
    return h("table", { class: "nbh-args nbh-form" }, h("tbody", {}, rows));
  }
}

const PHASES = {
  open: ["asks", "pause"],
  sending: ["going on", "choose"],
  decided: ["asked", "check"],
  stale: ["changed", "warn"],
  failed: ["failed", "cross"],
};

const TONES = { yes: "check", no: "cross", said: "reply" };

function argRow(row, open, id) {
  return h("tr", {}, h("th", { scope: "row" }, row.name), h("td", {}, block(row.value, open, id)));
}

/** Names and values in two columns. */
function argsTable(rows, open, prefix, label) {
  if (!rows.length) return null;
  return h("table", { class: "nbh-args", "aria-label": label }, h("tbody", {}, rows.map((row, i) => argRow(row, open, `${prefix}-${i}`))));
}

/** Note what has the focus inside `root`; the function given back puts it there again. */
function rememberFocus(root) {
  const at = root.contains(document.activeElement) ? document.activeElement : null;
  if (!at) return () => {};
  const k = at.dataset.k;
  const range = "selectionStart" in at ? [at.selectionStart, at.selectionEnd] : null;
  return () => {
    const next = k ? root.querySelector(`[data-k="${CSS.escape(k)}"]`) : null;
    (next ?? root).focus({ preventScroll: true });
    if (next && range && range[0] !== null && "setSelectionRange" in next) next.setSelectionRange(...range);
  };
}
