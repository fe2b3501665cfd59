// What a card's buttons and keys do, and what stands in their place when there is nothing to press.

const SLOW_MS = 4000;
const SLOW = "The kernel has not taken the answer yet: it is busy or gone. Nothing counts until it does.";
const GAP = () => span("nbh-gap");
const SEND = { k: "send", tone: "primary", iconName: "choose" };

Object.assign(Card.prototype, {
  footer() {
    const bars = {
      open: this.openBar,
      sending: this.sendingBar,
      decided: this.recordBar,
      stale: this.staleBar,
      failed: this.failedBar,
    };
    return box("nbh-bar", bars[this.phase].call(this));
  },

  openBar() {
    if (this.batch) return this.batchBar();
    const cancel = this.ui.home === this.ui.mode ? null : this.cancel();
    const bars = {
      edit: () => [this.editButton(), cancel],
      reject: () => [cancel, GAP(), this.submitButton("Reject", { k: "reject", tone: "danger", iconName: "cross" })],
      respond: () => [this.sendButton("reply"), cancel],
      answer: () => [this.sendButton("answer"), cancel],
      form: () => [this.submitButton("Send answer", SEND), cancel],
    };
    return (bars[this.ui.mode] ?? (() => this.homeBar()))();
  },

  /** Options and what goes on first; what stops it last, and apart. */
  homeBar() {
    const { state } = this;
    const options = state.options.map((option, i) => {
      const look = { k: `option:${i}`, title: `sends ${state.leads[`option:${i}`]}` };
      return this.verb(option.label, look, () => this.send({ kind: "option", index: i }));
    });
    const go = state.verbs.filter((verb) => verb !== "reject").map((verb) => this.verbButton(verb));
    return [options, go, GAP(), state.verbs.includes("reject") ? this.verbButton("reject") : null];
  },

  verbButton(verb) {
    const { label, ...look } = VERBS[verb];
    const sends = this.state.leads[verb];
    return this.verb(label, { ...look, k: verb, title: sends ? `sends ${sends}` : null }, () => this.press(verb));
  },

  verb(label, look, act) {
    return button(label, { ...look, onclick: () => this.view.armed && act() });
  },

  submitButton(label, look) {
    return this.verb(label, look, () => this.submit());
  },

  editButton() {
    const word = (n) => (n ? `Approve with ${plural(n, "change")}` : "Approve unchanged");
    const look = { k: "approve", tone: "primary", iconName: "check" };
    const go = this.submitButton(word(this.countChanges()), look);
    this.relabel = (n) => go.querySelector("span").replaceChildren(word(n));
    return go;
  },

  /** It says before it is pressed that nothing has been written. */
  sendButton(noun) {
    const { ui } = this;
    const words = () => {
      const isText = noun === "reply" || ui.as === "text";
      return isText && !ui.reply ? `Send an empty ${noun}` : `Send ${noun}`;
    };
    const go = this.submitButton(words(), SEND);
    this.retitle = () => go.querySelector("span").replaceChildren(words());
    return go;
  },

  cancel() {
    return this.verb("Cancel", { k: "cancel", tone: "quiet" }, () => this.mode(this.ui.home));
  },

  /** What a key or a button named after a verb does. */
  press(verb) {
    const { state } = this;
    const written = state.form.length ? "form" : state.ready.length ? "answer" : "respond";
    const acts = {
      approve: () => this.send({ kind: "approve" }),
      edit: () => this.mode("edit", `${this.id}-0:${state.items[0]?.fields[0]?.name}`),
      reject: () => this.mode("reject", "why"),
      respond: () => this.mode(written, "reply"),
    };
    acts[verb]();
  },

  mode(name, focus) {
    this.ui.mode = name;
    this.view.redraw(this, focus);
  },

  /** Send what the open panel holds. */
  submit() {
    const { ui, state } = this;
    const made = {
      edit: () => (this.countChanges() ? { kind: "edit", fields: ui.drafts[0] ?? {} } : { kind: "approve" }),
      reject: () => ({ kind: "reject", reason: ui.reason, route: ui.route || state.routes[0]?.name || null }),
      respond: () => ({ kind: "respond", text: ui.reply }),
      answer: () => ({ kind: "answer", ...(ui.as === "json" ? { json: ui.json } : { text: ui.reply }) }),
      form: () => ({ kind: "form", fields: ui.drafts.form ?? {} }),
    };
    if (this.batch) this.send({ kind: "batch", actions: state.items.map((_, i) => this.pick(i)) });
    else if (made[ui.mode]) this.send(made[ui.mode]());
  },

  send(decision) {
    this.order("decide", { digest: this.state.digest, decision });
  },

  /** Ask Python to do something; until it answers, there is nothing to press. */
  order(type, more = {}) {
    const sent = { rev: this.state.rev, at: Date.now() };
    this.ui.sent = sent;
    this.view.post({ type, card: this.state.key, ...more });
    this.view.moved();
    this.draw();
    setTimeout(() => this.ui.sent === sent && this.draw(), SLOW_MS);
  },

  sendingBar() {
    const { progress } = this.state;
    if (progress?.node) return runningParts(progress, () => this.view.post({ type: "stop" }));
    const slow = this.ui.sent && Date.now() - this.ui.sent.at >= SLOW_MS;
    return [h("span", { class: "nbh-spin", "aria-hidden": "true" }), span("nbh-doing", slow ? SLOW : "resuming…")];
  },

  recordBar() {
    const { record } = this.state;
    return box(
      "nbh-decided",
      recordLine(record),
      record.reason ? h("blockquote", { class: "nbh-reason" }, record.reason) : null,
      record.value ? box("nbh-value", block(record.value, this.ui.open, "value")) : null,
      record.items.length ? h("ol", { class: "nbh-per" }, record.items.map(recordItem)) : changed(record.changes),
    );
  },

  staleBar() {
    const { stale } = this.state;
    const look = { k: "show", iconName: "choose" };
    const show = stale.show ? this.verb("Show the new one", look, () => this.order("show")) : null;
    const why = h("div", { class: "nbh-alert", role: "alert" }, icon("warn"), h("span", {}, stale.text));
    return [why, this.fault(), show];
  },

  failedBar() {
    const { error, record } = this.state;
    const told = record?.value ? "" : ` ${record?.text}${record?.reason ? `: ${record.reason}` : ""}`;
    const answer = record && `The answer was:${told}`;
    const retry = { k: "retry", iconName: "again", title: "run the node again with the same answer" };
    const anew = { k: "anew", iconName: "pencil", title: "ask the question again, on a fork" };
    return [
      answer ? h("p", { class: "nbh-dim nbh-wide" }, answer) : null,
      record?.value ? box("nbh-value nbh-wide", block(record.value, this.ui.open, "value")) : null,
      h("div", { class: "nbh-alert", role: "alert" }, icon("cross"), h("span", {}, error.text)),
      this.fault(),
      this.verb("Retry", retry, () => this.order("retry")),
      this.verb("Answer anew", anew, () => this.order("anew")),
    ];
  },

  // Keys: a e r x while no field has the focus; Escape leaves a panel, Ctrl+Enter sends it.

  onKey(event) {
    if (this.phase !== "open") return;
    const { mode, home } = this.ui;
    const typing = event.target.closest("input, textarea, select");
    const held = event.ctrlKey || event.metaKey;
    if (event.key === "Escape" && mode !== home) return this.take(event, () => this.mode(home));
    if (!this.view.armed) return;
    const line = mode === "reject" && typing?.type === "text";
    if (event.key === "Enter" && (held || line) && (mode || this.batch)) return this.take(event, () => this.submit());
    if (typing || held || event.altKey || mode !== null || this.batch) return;
    const verb = this.state.verbs.find((name) => VERBS[name].key === event.key.toLowerCase());
    if (verb) this.take(event, () => this.press(verb));
  },

  take(event, act) {
    event.preventDefault();
    event.stopPropagation();
    act();
  },
});

/** What was decided, by whom, when, and after how long. */
function recordLine(record) {
  const unverified = record.verified ? null : span("nbh-dim", " (unverified)");
  const at = record.at ? ` · ${record.at}` : "";
  const waited = typeof record.waited === "number" ? ` · waited ${spell(record.waited)}` : "";
  const by = record.by ? [" · ", record.by, unverified] : null;
  const words = [icon(TONES[record.tone]), h("strong", {}, record.text), by, span("nbh-dim", at, waited)];
  return h("p", { class: "nbh-record" }, words);
}

function recordItem(item) {
  return h("li", {}, h("code", {}, item.name), " ", item.text, changed(item.changes));
}

function changed(changes) {
  return changes.length ? diffTable(changes, "what was changed") : null;
}
