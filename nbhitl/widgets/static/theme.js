// Which colours can be read on the page's own: themes choose the background, this chooses black or white on top.

function channels(color) {
  const found = color.match(/[\d.]+/g);
  return found ? found.map(Number) : [255, 255, 255];
}

/** Relative luminance of an rgb colour, 0 (black) to 1 (white). */
function luminance([r, g, b]) {
  const part = (c) => (c / 255 <= 0.03928 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4);
  return 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
}

function resolved(root, value) {
  const probe = h("span", { style: `color: ${value}` });
  root.append(probe);
  const color = getComputedStyle(probe).color;
  probe.remove();
  return channels(color);
}

/** Set data-theme and the colour of text on the accent; again whenever the page changes its theme. */
function followTheme(root) {
  const apply = () => {
    if (!root.isConnected) return;
    const ground = luminance(resolved(root, "var(--nbh-ground)"));
    const accent = luminance(resolved(root, "var(--nbh-accent)"));
    root.dataset.theme = ground > 0.4 ? "light" : "dark";
    root.style.setProperty("--nbh-on-accent", accent > 0.179 ? "#000" : "#fff");
  };
  requestAnimationFrame(apply);
  const watch = new MutationObserver(() => setTimeout(apply, 60));
  for (const node of [document.documentElement, document.body]) watch.observe(node, { attributes: true });
  return () => watch.disconnect();
}
