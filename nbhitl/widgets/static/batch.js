// Several actions in one question: one decision each, sent together.

Object.assign(Card.prototype, {
  batchItem(item, i) {
    const open = this.phase === "open";
    const picked = this.ui.picks[i];
    const set = (verb) => () => {
      if (!this.view.armed) return;
      if (picked === verb) delete this.ui.picks[i];
      else this.ui.picks[i] = verb;
      this.view.redraw(this, { edit: `${this.id}-${i}:${item.fields[0]?.name}`, reject: `why:${i}`, respond: `say:${i}` }[this.ui.picks[i]] ?? `pick:${i}:${verb}`);
    };
    const choices = item.allowed.map((verb) =>
      h("button", { type: "button", class: `nbh-pick nbh-pick-${verb}`, "data-k": `pick:${i}:${verb}`, "aria-pressed": String(picked === verb), onclick: set(verb) }, icon(VERBS[verb].iconName), VERBS[verb].label),
    );
    const body = open && picked === "edit" ? this.editForm(item, i) : argsTable(item.rows, this.ui.open, `arg${i}`, `arguments of ${item.name}`);
    return h(
      "section",
      { class: "nbh-item", "aria-label": `${i + 1}. ${item.name}`, "data-picked": picked ?? "" },
      h("div", { class: "nbh-itemhead" }, h("span", { class: "nbh-count" }, String(i + 1)), h("code", {}, item.name), open ? h("div", { class: "nbh-picks", role: "group", "aria-label": `decision on ${item.name}` }, choices) : null),
      item.description ? h("p", { class: "nbh-text" }, item.description) : null,
      body,
      open ? this.batchWords(i, picked) : null,
      this.batchError(i),
    );
  },

  batchWords(i, picked) {
    if (picked !== "reject" && picked !== "respond") return null;
    const box = (this.ui.drafts[`words${i}`] ??= { reject: "", respond: "" });
    const k = picked === "reject" ? `why:${i}` : `say:${i}`;
    const label = picked === "reject" ? "Why not?" : "Your reply";
    const input = h("input", { type: "text", class: "nbh-input", "data-k": k, "aria-label": label, placeholder: label });
    input.value = box[picked];
    input.addEventListener("input", () => (box[picked] = input.value));
    const pick = (n) => {
      box[picked] = input.value = this.state.reasons[n];
      input.focus();
    };
    return h("div", { class: "nbh-words" }, picked === "reject" ? chips("reasons", this.state.reasons, pick, `reason${i}`) : null, input);
  },

  batchError(i) {
    const whole = this.state.errors[i]?.[""];
    return whole ? h("p", { class: "nbh-error", role: "alert" }, icon("warn"), whole) : null;
  },

  /** The decision on the i-th action, as it is sent. */
  pick(i) {
    const words = this.ui.drafts[`words${i}`] ?? {};
    const made = {
      approve: () => ({ kind: "approve" }),
      edit: () => ({ kind: "edit", fields: this.ui.drafts[i] ?? {} }),
      reject: () => ({ kind: "reject", reason: words.reject ?? "" }),
      respond: () => ({ kind: "respond", text: words.respond ?? "" }),
    }[this.ui.picks[i]];
    return made ? made() : null;
  },

  batchBar() {
    const total = this.state.items.length;
    const done = this.state.items.filter((_, i) => this.ui.picks[i]).length;
    const ready = done === total;
    const word = ready ? `Submit ${plural(total, "decision")}` : `${done} of ${total} decided`;
    const go = this.verb(word, { k: "submit", tone: "primary", iconName: "check", disabled: !ready }, () => this.submit());
    const note = h("span", { class: "nbh-dim" }, "One decision each; they are sent together.");
    return [go, note];
  },
});
