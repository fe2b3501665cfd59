// The graph: drawn once from an SVG that Python made and escaped; then only the nodes' states change.

const ALLOWED = new Set("svg g path rect text tspan style title ellipse polygon line defs marker".split(" "));

/** The SVG as elements, without anything that could act: a second fence, Python has built the first. */
function parseSvg(text) {
  const root = new DOMParser().parseFromString(text, "image/svg+xml").documentElement;
  if (root.nodeName !== "svg") return null;
  for (const node of [root, ...root.querySelectorAll("*")]) {
    if (!ALLOWED.has(node.nodeName)) node.remove();
    else
      for (const { name } of [...node.attributes])
        if (name.startsWith("on") || name.endsWith("href")) node.removeAttribute(name);
  }
  return document.importNode(root, true);
}

/** Show each node's state by the attributes that the picture's own style sheet looks at. */
function applyStates(root, states) {
  for (const node of root.querySelectorAll(".nb-node[data-status]")) {
    const state = states[node.dataset.node] ?? { status: "", text: "" };
    const text = node.querySelector(".nb-state");
    node.dataset.status = state.status;
    node.dataset.lines = state.text ? "2" : "1";
    if (text) text.textContent = state.text;
    for (const mark of node.querySelectorAll(".nb-mark path")) mark.removeAttribute("display");
  }
}

function render({ model, el }) {
  const root = document.createElement("div");
  root.className = "nbh nbh-graph";
  el.replaceChildren(root);
  const states = () => applyStates(root, model.get("states") ?? {});
  const draw = () => {
    const svg = parseSvg(model.get("svg") ?? "");
    root.replaceChildren(...(svg ? [svg] : []));
    states();
  };
  model.on("change:svg", draw);
  model.on("change:states", states);
  draw();
  return () => {
    model.off("change:svg", draw);
    model.off("change:states", states);
  };
}

export default { render };
