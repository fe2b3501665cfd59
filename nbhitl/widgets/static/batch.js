// Several actions in one question: one decision each, sent together.

Object.assign(Card.prototype, {
  batchItem(item, i) {
    const open = this.phase === "open";
    const picked = this.ui.picks[i];
    const editing = open && picked === "edit";
    const label = `arguments of ${item.name}`;
    const wrong = this.state.errors[i]?.[""];
    const head = [span("nbh-count", String(i + 1)), h("code", {}, item.name), open ? this.picks(item, i) : null];
    return h(
      "section",
      { class: "nbh-item", "aria-label": `${i + 1}. ${item.name}` },
      box("nbh-itemhead", head),
      item.description ? h("p", { class: "nbh-text" }, item.description) : null,
      editing ? this.editForm(item, i) : argsTable(item.rows, this.ui.open, `arg${i}`, label),
      open ? this.batchWords(i, picked) : null,
      wrong && !editing ? problem(wrong) : null,
    );
  },

  /** The decisions to pick from; picking the same again takes it back. */
  picks(item, i) {
    const choices = item.allowed.map((verb) => {
      const pressed = String(this.ui.picks[i] === verb);
      const props = { type: "button", class: "nbh-pick", "data-k": `pick:${i}:${verb}`, "aria-pressed": pressed };
      const onclick = () => this.view.armed && this.setPick(item, i, verb);
      return h("button", { ...props, onclick }, icon(VERBS[verb].iconName), VERBS[verb].label);
    });
    return h("div", { class: "nbh-picks", role: "group", "aria-label": `decision on ${item.name}` }, choices);
  },

  setPick(item, i, verb) {
    const back = this.ui.picks[i] === verb;
    if (back) delete this.ui.picks[i];
    else this.ui.picks[i] = verb;
    const first = { edit: `${this.id}-${i}:${item.fields[0]?.name}`, reject: `why:${i}`, respond: `say:${i}` };
    this.view.redraw(this, (!back && first[verb]) || `pick:${i}:${verb}`);
  },

  batchWords(i, picked) {
    if (picked !== "reject" && picked !== "respond") return null;
    const words = (this.ui.drafts[`words${i}`] ??= { reject: "", respond: "" });
    const [k, label] = picked === "reject" ? [`why:${i}`, "Why not?"] : [`say:${i}`, "Your reply"];
    const props = { type: "text", class: "nbh-input", "data-k": k, "aria-label": label, placeholder: label };
    const input = h("input", props);
    input.value = words[picked];
    input.addEventListener("input", () => (words[picked] = input.value));
    const pick = (n) => {
      words[picked] = input.value = this.state.reasons[n];
      input.focus();
    };
    const reasons = picked === "reject" ? chips("reasons", this.state.reasons, pick, `reason${i}`) : null;
    return box("nbh-words", reasons, input);
  },

  /** The decision on the i-th action, as it is sent. */
  pick(i) {
    const words = this.ui.drafts[`words${i}`] ?? {};
    const made = {
      approve: () => ({ kind: "approve" }),
      edit: () => ({ kind: "edit", fields: this.ui.drafts[i] ?? {} }),
      reject: () => ({ kind: "reject", reason: words.reject ?? "" }),
      respond: () => ({ kind: "respond", text: words.respond ?? "" }),
    };
    return made[this.ui.picks[i]]?.() ?? null;
  },

  batchBar() {
    const total = this.state.items.length;
    const done = this.state.items.filter((_, i) => this.ui.picks[i]).length;
    const ready = done === total;
    const word = ready ? `Submit ${plural(total, "decision")}` : `${done} of ${total} decided`;
    const go = this.submitButton(word, { k: "submit", tone: "primary", iconName: "check", disabled: !ready });
    return [go, span("nbh-dim", "One decision each; they are sent together."), this.fault()];
  },
});
