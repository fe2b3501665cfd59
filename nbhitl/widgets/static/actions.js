// What a card's buttons and keys do. Kept apart from how the card looks.

Object.assign(Card.prototype, {
  footer() {
    const draw = { open: this.openBar, sending: this.sendingBar, decided: this.recordBar, stale: this.staleBar, failed: this.failedBar }[this.phase];
    return h("div", { class: "nbh-bar" }, draw.call(this));
  },

  openBar() {
    if (this.batch) return this.batchBar();
    const bars = { edit: this.editBar, reject: this.rejectBar, respond: this.respondBar, answer: this.answerBar, form: this.formBar };
    return (bars[this.ui.mode] ?? this.homeBar).call(this);
  },

  homeBar() {
    const { state } = this;
    const options = state.options.map((option, i) =>
      this.verb(option.label, { k: `option:${i}`, title: `sends ${state.leads[`option:${i}`]}` }, () => this.send({ kind: "option", index: i })),
    );
    const verbs = state.verbs.filter((verb) => verb !== "reject").map((verb) => this.verbButton(verb));
    const reject = state.verbs.includes("reject") ? this.verbButton("reject") : null;
    return [options, verbs, h("span", { class: "nbh-gap" }), reject];
  },

  verbButton(verb) {
    const { label, ...look } = VERBS[verb];
    return this.verb(label, { ...look, k: verb, title: this.state.leads[verb] ? `sends ${this.state.leads[verb]}` : null }, () => this.press(verb));
  },

  verb(label, look, act) {
    return button(label, { ...look, onclick: () => this.view.armed && act() });
  },

  /** What a key or a button named after a verb does. */
  press(verb) {
    if (verb === "approve") this.send({ kind: "approve" });
    else if (verb === "edit") this.mode("edit", `${this.id}-0:${this.state.items[0]?.fields[0]?.name}`);
    else if (verb === "reject") this.mode("reject", "why");
    else if (verb === "respond") this.mode(this.state.form.length ? "form" : this.state.ready.length ? "answer" : "respond", "reply");
  },

  editBar() {
    const word = (n) => (n ? `Approve with ${plural(n, "change")}` : "Approve unchanged");
    const go = this.verb(word(this.countChanges()), { k: "approve", tone: "primary", iconName: "check" }, () => this.submit());
    this.relabel = (n) => go.querySelector("span").replaceChildren(word(n));
    return [go, this.cancel()];
  },

  rejectBar() {
    return [this.cancel(), h("span", { class: "nbh-gap" }), this.verb("Reject", { k: "reject", tone: "danger", iconName: "cross" }, () => this.submit())];
  },

  respondBar() {
    return [this.verb("Send reply", { k: "send", tone: "primary", iconName: "choose" }, () => this.submit()), this.cancel()];
  },

  answerBar() {
    const send = this.verb("Send answer", { k: "send", tone: "primary", iconName: "choose" }, () => this.submit());
    return [send, this.ui.home === "answer" ? null : this.cancel()];
  },

  formBar() {
    const send = this.verb("Send answer", { k: "send", tone: "primary", iconName: "choose" }, () => this.submit());
    return [send, this.ui.home === "form" ? null : this.cancel()];
  },

  cancel() {
    return this.verb("Cancel", { k: "cancel", tone: "quiet" }, () => this.mode(this.ui.home));
  },

  /** Send what the open panel holds. */
  submit() {
    const { ui, state } = this;
    if (this.batch) return this.send({ kind: "batch", actions: state.items.map((_, i) => this.pick(i)) });
    const made = {
      edit: () => (this.countChanges() ? { kind: "edit", fields: ui.drafts[0] ?? {} } : { kind: "approve" }),
      reject: () => ({ kind: "reject", reason: ui.reason, route: ui.route || state.routes[0]?.name || null }),
      respond: () => ({ kind: "respond", text: ui.reply }),
      answer: () => (ui.as === "json" ? { kind: "answer", json: ui.json } : { kind: "answer", text: ui.reply }),
      form: () => ({ kind: "form", fields: ui.drafts.form ?? {} }),
    }[ui.mode];
    if (made) this.send(made());
  },

  send(decision) {
    this.ui.sent = { rev: this.state.rev, at: Date.now(), kind: decision.kind };
    this.view.post({ type: "decide", card: this.state.key, digest: this.state.digest, decision });
    this.view.moved();
    this.draw();
    const sent = this.ui.sent;
    setTimeout(() => this.ui.sent === sent && this.draw(), SLOW_MS);
  },

  mode(name, focus) {
    this.ui.mode = name;
    this.view.redraw(this, focus);
  },

  // What stands in the place of the buttons when there is nothing to press.

  sendingBar() {
    const { progress } = this.state;
    if (progress?.node) return runningParts(progress, () => this.view.post({ type: "stop" }));
    const slow = this.ui.sent && Date.now() - this.ui.sent.at >= SLOW_MS;
    const words = slow ? "The kernel has not taken the answer yet: it is busy or gone. Nothing counts until it does." : "resuming…";
    return [h("span", { class: "nbh-spin", "aria-hidden": "true" }), h("span", { class: "nbh-doing" }, words)];
  },

  recordBar() {
    const { record } = this.state;
    const by = record.by ? [" · ", record.by, record.verified ? "" : h("span", { class: "nbh-dim" }, " (unverified)")] : "";
    const waited = typeof record.waited === "number" ? ` · waited ${spell(record.waited)}` : "";
    const line = h("p", { class: "nbh-record" }, icon(TONES[record.tone]), h("strong", {}, record.text), by, h("span", { class: "nbh-dim" }, record.at ? ` · ${record.at}` : "", waited));
    const reason = record.reason ? h("blockquote", { class: "nbh-reason" }, record.reason) : null;
    const value = record.value ? h("div", { class: "nbh-value" }, block(record.value, this.ui.open, "value")) : null;
    const changes = record.changes.length && !record.items.length ? diffTable(record.changes, "what was changed") : null;
    const per = record.items.map((item) => h("li", {}, h("code", {}, item.name), " ", item.text, item.changes.length ? diffTable(item.changes, "what was changed") : null));
    return h("div", { class: "nbh-decided" }, line, reason, value, changes, per.length ? h("ol", { class: "nbh-per" }, per) : null);
  },

  staleBar() {
    const { stale } = this.state;
    const show = stale.show && this.verb("Show the new one", { k: "show", iconName: "choose" }, () => this.order("show"));
    return [h("div", { class: "nbh-alert", role: "alert" }, icon("warn"), h("span", {}, stale.text)), this.fault(), show];
  },

  failedBar() {
    const { error } = this.state;
    const answered = this.state.record ? h("p", { class: "nbh-dim nbh-wide" }, "The answer was: ", this.state.record.text, this.state.record.reason ? `: ${this.state.record.reason}` : "") : null;
    return [
      answered,
      h("div", { class: "nbh-alert", role: "alert" }, icon("cross"), h("span", {}, error.text)),
      this.fault(),
      this.verb("Retry", { k: "retry", iconName: "again", title: "run the node again with the same answer" }, () => this.order("retry")),
      this.verb("Answer anew", { k: "anew", iconName: "pencil", title: "ask the question again, on a fork" }, () => this.order("anew")),
    ];
  },

  /** What went wrong with the last click, if anything did. */
  fault() {
    const text = this.state.errors.whole;
    return text ? h("p", { class: "nbh-error nbh-wide", role: "alert" }, icon("warn"), text) : null;
  },

  /** Ask Python to do something with an answered card. */
  order(type) {
    this.ui.sent = { rev: this.state.rev, at: Date.now(), kind: type };
    this.view.post({ type, card: this.state.key });
    this.view.moved();
    this.draw();
  },

  // Keys: a e r x while no field has the focus; Escape leaves a panel, Ctrl+Enter sends it.

  onKey(event) {
    if (this.phase !== "open") return;
    const typing = event.target.closest("input, textarea, select");
    if (event.key === "Escape" && this.ui.mode !== this.ui.home) return this.take(event, () => this.mode(this.ui.home));
    if (!this.view.armed) return;
    const sends = event.key === "Enter" && (event.ctrlKey || event.metaKey || (typing?.type === "text" && this.ui.mode === "reject"));
    if (sends && (this.ui.mode || this.batch)) return this.take(event, () => this.submit());
    if (typing || event.ctrlKey || event.metaKey || event.altKey || this.ui.mode !== null || this.batch) return;
    const verb = this.state.verbs.find((name) => VERBS[name].key === event.key.toLowerCase());
    if (verb) this.take(event, () => this.press(verb));
  },

  take(event, act) {
    event.preventDefault();
    event.stopPropagation();
    act();
  },
});
