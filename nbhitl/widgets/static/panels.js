// What opens between the question and the buttons: where a reader types.

Object.assign(Card.prototype, {
  panel() {
    if (this.phase !== "open") return null;
    const panels = {
      reject: this.rejectPanel,
      respond: this.respondPanel,
      answer: this.answerPanel,
      form: this.formPanel,
    };
    const draw = panels[this.ui.mode];
    return [draw ? box("nbh-panel", draw.call(this)) : null, this.fault()];
  },

  /** What was wrong with the last click, if anything was. */
  fault() {
    const text = this.state.errors.whole;
    return text ? problem(text, "nbh-error nbh-wide") : null;
  },

  /** Fields in the place of the arguments, and below them what they change. */
  editForm(item, i) {
    const draft = (this.ui.drafts[i] ??= {});
    const errors = this.state.errors[i] ?? {};
    const live = { role: "group", "aria-label": "what would change", "aria-live": "polite" };
    const preview = h("div", { class: "nbh-preview", ...live });
    const update = () => {
      preview.replaceChildren();
      add(preview, this.previewParts(item, draft));
      this.relabel?.(this.countChanges());
      this.view.check(this);
    };
    const rows = this.fields(item.fields, String(i), draft, errors, update);
    const fixed = item.rows.filter((row) => !item.fields.some((field) => field.name === row.name));
    const rest = fixed.map((row, k) => argRow(row, this.ui.open, `fixed${k}`));
    update();
    const table = h("table", { class: "nbh-args nbh-form" }, h("tbody", {}, rows, rest));
    return [table, errors[""] ? problem(errors[""]) : null, preview];
  },

  previewParts(item, draft) {
    const made = draftChanges(item.fields, draft);
    if (!made.length) return [h("p", { class: "nbh-note" }, "No changes yet.")];
    const rows = "The rows below are those of the question as it was asked.";
    return [diffTable(made, "changes"), this.state.tables.length ? h("p", { class: "nbh-note" }, rows) : null];
  },

  /** The rows of a form. Their errors can be changed later, by part and name, in `blames`. */
  fields(fields, part, draft, errors, changed) {
    this.blames[part] = {};
    return fields.map((field) => {
      const { row, blame } = fieldRow(field, draft, changed, errors[field.name], `${this.id}-${part}`);
      this.blames[part][field.name] = blame;
      return row;
    });
  },

  /** Show what Python found in the drafts. */
  judge(errors) {
    for (const [part, blames] of Object.entries(this.blames))
      for (const [name, blame] of Object.entries(blames)) blame(errors[part]?.[name]);
  },

  countChanges() {
    const count = (item, i) => draftChanges(item.fields, this.ui.drafts[i] ?? {}).length;
    return this.state.items.reduce((sum, item, i) => sum + count(item, i), 0);
  },

  rejectPanel() {
    const { state, ui } = this;
    const id = `${this.id}-why`;
    const input = h("input", { type: "text", class: "nbh-input", id, "data-k": "why", placeholder: "optional" });
    input.value = ui.reason;
    input.addEventListener("input", () => (ui.reason = input.value));
    const pick = (i) => {
      ui.reason = input.value = state.reasons[i];
      input.focus();
    };
    return [
      h("label", { class: "nbh-label", for: id }, "Why not?"),
      chips("reasons", state.reasons, pick, "reason"),
      input,
      state.routes.length ? this.routeChoice() : null,
    ];
  },

  routeChoice() {
    const { state, ui } = this;
    const id = `${this.id}-route`;
    const options = state.routes.map((route) => h("option", { value: route.name }, route.label));
    const goes = h("select", { class: "nbh-input nbh-narrow", id, "data-k": "route" }, options);
    goes.value = ui.route || state.routes[0].name;
    goes.addEventListener("change", () => (ui.route = goes.value));
    return [h("label", { class: "nbh-label", for: id }, "Go on at"), goes];
  },

  respondPanel() {
    const id = `${this.id}-reply`;
    const input = this.writing("reply", id, "goes to the agent in place of running this");
    return [h("label", { class: "nbh-label", for: id }, "Your reply"), input];
  },

  /** A text area that keeps what is typed in `ui[name]`. */
  writing(name, id, placeholder, code) {
    const put = (value) => {
      this.ui[name] = value;
      this.retitle?.();
    };
    return area(this.ui[name], put, { id, "data-k": name, placeholder }, code);
  },

  answerPanel() {
    const { state, ui } = this;
    const id = `${this.id}-answer`;
    const json = 'any JSON value: true, 3, "text", {"a": 1}';
    const pick = (i) => {
      ui.json = state.ready[i].text;
      this.answerAs("json");
    };
    const ready = state.ready.map((value) => value.label);
    return [
      box("nbh-split", h("label", { class: "nbh-label", for: id }, "Your answer"), this.answerTabs()),
      ui.as === "text" ? this.writing("reply", id, "sent as text") : this.writing("json", id, json, true),
      ready.length ? box("nbh-note", "Ready-made values, to pick and change:") : null,
      chips("ready-made values", ready, pick, "ready"),
    ];
  },

  answerAs(kind) {
    this.ui.as = kind;
    this.view.redraw(this, kind === "json" ? "json" : "reply");
  },

  answerTabs() {
    const { state, ui } = this;
    if (!state.free_text || !state.ready.length) return null;
    const tab = (kind, label) => {
      const props = { type: "button", class: "nbh-tab", role: "tab", "data-k": `as:${kind}` };
      const selected = String(ui.as === kind);
      return h("button", { ...props, "aria-selected": selected, onclick: () => this.answerAs(kind) }, label);
    };
    const props = { class: "nbh-tabs", role: "tablist", "aria-label": "what is sent" };
    return h("div", props, tab("text", "text"), tab("json", "JSON"));
  },

  formPanel() {
    const draft = (this.ui.drafts.form ??= {});
    const errors = this.state.errors.form ?? {};
    const rows = this.fields(this.state.form, "form", draft, errors, () => this.view.check(this));
    return h("table", { class: "nbh-args nbh-form" }, h("tbody", {}, rows));
  },
});
