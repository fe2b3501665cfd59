// All questions of a thread, one card each, and the line above them.

const GUARD_MS = 450;
const CHECK_MS = 250;
const HELLO_MS = 4000;
const GONE = "The kernel that asked this is gone. Run the cell again to answer.";
const SILENT = "No kernel has answered yet: it is busy, or this notebook was saved and its kernel is gone.";
let serial = 0;

class CardsView {
  constructor(model, el, shared) {
    this.model = model;
    this.shared = shared;
    this.serial = ++serial;
    this.cards = new Map();
    this.head = h("p", { class: "nbh-summary", role: "status" });
    this.note = h("p", { class: "nbh-offline", role: "alert", hidden: true });
    this.list = h("div", { class: "nbh-list" });
    this.run = h("div", { class: "nbh-run", hidden: true });
    // The attribute keeps JupyterLab's one-letter shortcuts (a, x, ...) out of the card.
    const root = { class: "nbh nbh-cards", "data-lm-suppress-shortcuts": "true" };
    this.root = h("div", root, this.head, this.note, this.list, this.run);
    el.replaceChildren(this.root);
    this.stopTheme = followTheme(this.root);
    this.clock = setInterval(() => this.root.querySelectorAll(".nbh-clock").forEach((node) => node.tick?.()), 1000);
    this.listen();
    this.update();
    this.moved();
    this.greet();
  }

  listen() {
    this.onState = () => this.update();
    this.onMessage = (message) => this.receive(message);
    this.onComm = () => this.offline(GONE);
    this.heard = {
      "change:cards": this.onState,
      "change:summary": this.onState,
      "change:run": this.onState,
      "msg:custom": this.onMessage,
      comm_live_update: this.onComm,
    };
    for (const [name, call] of Object.entries(this.heard)) this.model.on(name, call);
  }

  close() {
    clearInterval(this.clock);
    clearTimeout(this.checking);
    clearTimeout(this.arming);
    this.stopTheme();
    for (const [name, call] of Object.entries(this.heard)) this.model.off(name, call);
  }

  /** Ask whether a kernel listens; a saved notebook has none, and then the buttons are off. */
  greet() {
    this.post({ type: "hello" });
    setTimeout(() => {
      if (!this.shared.connected) this.offline(SILENT);
    }, HELLO_MS);
  }

  offline(text) {
    this.note.replaceChildren(icon("warn"), ...textNodes(text));
    this.note.hidden = false;
    this.root.classList.add("nbh-off");
  }

  receive(message) {
    if (message.type === "here") {
      this.shared.connected = true;
      this.note.hidden = true;
      this.root.classList.remove("nbh-off");
    }
    if (message.type === "checked") this.cards.get(message.card)?.judge(message.errors);
  }

  post(message) {
    this.model.send(message);
  }

  /** Bring the cards to what the model says; a card whose state is the same keeps its elements. */
  update() {
    const summary = this.model.get("summary") ?? "";
    this.head.replaceChildren(...textNodes(summary));
    this.head.hidden = summary === "";
    const states = this.model.get("cards") ?? [];
    const keep = new Set(states.map((state) => state.key));
    for (const [key, card] of this.cards) {
      if (keep.has(key)) continue;
      card.el.remove();
      this.cards.delete(key);
    }
    states.forEach((state, i) => this.place(state, i));
    this.drawRun(this.model.get("run") ?? {});
  }

  /** The line below the cards: a run that no card has started, or what went wrong in it. */
  drawRun(run) {
    const text = JSON.stringify(run);
    if (text === this.runText) return;
    this.runText = text;
    const { progress, error } = run;
    this.run.hidden = !progress && !error;
    this.run.replaceChildren();
    if (progress) add(this.run, runningParts(progress, () => this.post({ type: "stop" })));
    if (error) add(this.run, [h("div", { class: "nbh-alert", role: "alert" }, icon("cross"), h("span", {}, error))]);
  }

  place(state, i) {
    const text = JSON.stringify(state);
    const card = this.cards.get(state.key);
    if (card?.text === text) return;
    const ui = this.uiFor(state);
    if (card) {
      if (card.state.phase !== state.phase || card.ui.sent) this.moved();
      card.set(state, ui);
    } else {
      this.cards.set(state.key, new Card(this, state, ui));
      this.moved();
    }
    const now = this.cards.get(state.key);
    now.text = text;
    if (this.list.children[i] !== now.el) this.list.insertBefore(now.el, this.list.children[i] ?? null);
    fitAll(now.el);
  }

  /** What the reader is doing with a card outlives its elements, but not the question it was about. */
  uiFor(state) {
    const old = this.shared.ui.get(state.key);
    if (old && old.digest === state.digest) return old;
    const made = newUi(state);
    this.shared.ui.set(state.key, made);
    return made;
  }

  redraw(card, focus) {
    this.moved();
    card.draw();
    const at = focus && card.el.querySelector(`[data-k="${CSS.escape(focus)}"]`);
    if (at) at.focus({ preventScroll: true });
    else if (!card.el.contains(document.activeElement)) card.el.focus({ preventScroll: true });
  }

  /** Something moved, so the second half of a double click may be over another button: take no clicks for now. */
  moved() {
    this.until = performance.now() + GUARD_MS;
    this.root.dataset.guard = "on";
    clearTimeout(this.arming);
    this.arming = setTimeout(() => delete this.root.dataset.guard, GUARD_MS);
  }

  get armed() {
    return performance.now() >= this.until && !this.root.classList.contains("nbh-off");
  }

  /** Have Python look at a draft, a moment after the last key. */
  check(card) {
    clearTimeout(this.checking);
    this.checking = setTimeout(() => {
      const { ui, state } = card;
      if (card.phase !== "open") return;
      const typed = Object.entries(ui.drafts).filter(([part]) => part === "form" || /^\d+$/.test(part));
      this.post({ type: "check", card: state.key, drafts: Object.fromEntries(typed) });
    }, CHECK_MS);
  }
}

/** What a run is at: node, step, time, and the button that stops it. */
function runningParts(progress, stop) {
  const step = progress.step ? ` · step ${progress.step}` : "";
  const words = progress.node ? ["running ", h("code", {}, progress.node), step] : ["running…"];
  return [
    h("span", { class: "nbh-spin", "aria-hidden": "true" }),
    h("span", { class: "nbh-doing" }, words, stopwatch(" · ", progress.elapsed)),
    h("span", { class: "nbh-gap" }),
    button("Stop", { k: "stop", iconName: "stop", title: "stop after this step", onclick: stop }),
    progress.text ? h("p", { class: "nbh-stream" }, progress.text) : null,
  ];
}

function render({ model, el, shared }) {
  const view = new CardsView(model, el, shared);
  return () => view.close();
}

export default () => {
  const shared = { ui: new Map(), connected: false };
  return { render: ({ model, el }) => render({ model, el, shared }) };
};
