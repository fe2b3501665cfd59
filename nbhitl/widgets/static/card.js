// One question. `state` comes from Python and says everything that is so; `ui` is what this reader is doing
// with it: which panel is open, what was typed, which folds stand open.

const VERBS = {
  approve: { label: "Approve", tone: "primary", key: "a", iconName: "check" },
  edit: { label: "Edit", tone: "plain", key: "e", iconName: "pencil" },
  respond: { label: "Respond", tone: "plain", key: "r", iconName: "reply" },
  reject: { label: "Reject", tone: "danger", key: "x", iconName: "cross" },
};

const PHASES = {
  open: ["asks", "pause"],
  sending: ["going on", "choose"],
  decided: ["asked", "check"],
  stale: ["changed", "warn"],
  failed: ["failed", "cross"],
};

const TONES = { yes: "check", no: "cross", said: "reply" };

function newUi(state) {
  return {
    digest: state.digest,
    home: state.home, // the panel that stands open before anything is pressed, or null
    mode: state.home, // the panel that is open now
    drafts: {}, // what was typed into fields: by action, by "form", by "words0", ...
    picks: {}, // the decision picked for each action of a batch
    reason: "",
    route: "",
    reply: "",
    json: "",
    as: state.free_text ? "text" : "json",
    open: new Set(), // the folds that stand open
    sent: null, // what was sent and not yet heard of
  };
}

/** Draws one card, and draws it again when its state or its ui changes. */
class Card {
  constructor(view, state, ui) {
    this.view = view;
    this.id = `nbh${view.serial}-${state.key}`;
    this.el = h("article", {
      class: "nbh-card",
      tabindex: "0",
      role: "group",
      "aria-labelledby": `${this.id}-q`,
      "data-card": state.key,
      onkeydown: (event) => this.onKey(event),
    });
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
    const refocus = rememberFocus(this.el);
    this.el.dataset.phase = phase;
    this.el.dataset.tone = phase === "decided" ? state.record.tone : phase;
    this.blames = {};
    const small = state.folded && (phase === "decided" || phase === "stale");
    const shown = () => box("nbh-shown", this.question(), this.body());
    const body = small
      ? [this.footer(), fold("what was shown", shown, this.ui.open, "shown")]
      : [this.question(), this.body(), this.panel(), this.footer()];
    this.el.replaceChildren();
    add(this.el, [this.header(), box("nbh-body", body)]);
    fitAll(this.el);
    refocus();
  }

  header() {
    const { state, phase } = this;
    const [word, iconName] = PHASES[phase] ?? PHASES.open;
    const starts = state.starts > 1 ? `started ${state.starts}×` : null;
    const clock = phase === "open" && state.asked_at ? counter("waiting ", state.asked_at) : null;
    const meta = [starts, starts && clock ? " · " : null, clock];
    return h(
      "header",
      { class: "nbh-head", title: state.why || null },
      span("nbh-phase", icon(phase === "decided" ? TONES[state.record.tone] : iconName), word),
      span("nbh-node", state.node),
      span("nbh-thread", state.thread),
      span("nbh-meta", meta),
    );
  }

  question() {
    const { state } = this;
    const text = h("div", { class: "nbh-question", id: `${this.id}-q` }, state.question);
    const again = state.problem && h("p", { class: "nbh-problem" }, icon("warn"), `Asked again: ${state.problem}`);
    return [again, state.question.length > 280 ? box("nbh-longq", text) : text];
  }

  body() {
    const { state, ui } = this;
    return [
      state.items.map((item, i) => (this.batch ? this.batchItem(item, i) : this.single(item, i))),
      argsTable(state.details, ui.open, "detail", "details"),
      state.tables.map((table, i) => block(table, ui.open, `table${i}`)),
      state.folds.length ? box("nbh-folds", state.folds.map((part) => this.context(part))) : null,
    ];
  }

  /** A fold under the question. One without rows is fetched from the kernel when it is first opened. */
  context(part) {
    const say = (text) => h("p", { class: "nbh-note" }, text);
    const inside = () => {
      if (part.rows?.length) return argsTable(part.rows, this.ui.open, `in-${part.name}`, part.label);
      if (part.rows) return say("nothing");
      this.view.post({ type: part.name, card: this.state.key });
      return say("loading…");
    };
    return fold(part.label, inside, this.ui.open, `f-${part.name}`);
  }

  single(item, i) {
    const editing = this.ui.mode === "edit" && this.phase === "open";
    const named = item.name && item.name !== this.state.node;
    return h(
      "section",
      {},
      named ? box("nbh-action", h("code", {}, item.name)) : null,
      item.description ? h("p", { class: "nbh-text" }, item.description) : null,
      editing ? this.editForm(item, i) : argsTable(item.rows, this.ui.open, `arg${i}`, "arguments"),
    );
  }
}

function argRow(row, open, id) {
  return h("tr", {}, h("th", { scope: "row" }, row.name), h("td", {}, block(row.value, open, id)));
}

/** Names and values in two columns; null without rows. */
function argsTable(rows, open, prefix, label) {
  if (!rows.length) return null;
  const body = rows.map((row, i) => argRow(row, open, `${prefix}-${i}`));
  return h("table", { class: "nbh-args", "aria-label": label }, h("tbody", {}, body));
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
