// For the product pages of other sites (docs/embedding.md): puts a strip of similar listings where
// the script tag stands, or into what data-into names.
//
//   <script src="https://lookalike.example/static/strip.js" data-listing="SHOE-7" async></script>
//
// It stores nothing, sets no cookie, and reads nothing of the page but whether its ground is light or
// dark. A strip that may not be framed here, or has nothing to show, takes no room.
"use strict";

(() => {
  const script = document.currentScript;
  const { listing, into, title = "Similar listings" } = script.dataset;
  if (!listing) return console.warn("Lookalike: data-listing is missing on the script tag.");
  const address = new URL(`../strip/${encodeURIComponent(listing)}`, script.src);
  const place = (into && document.querySelector(into)) || script.parentElement;
  const { count, language, theme = "auto" } = script.dataset;
  for (const [name, value] of Object.entries({ count, language })) {
    if (value) address.searchParams.set(name, value);
  }
  address.searchParams.set("theme", theme === "auto" ? ground(place) : theme);
  const frame = document.createElement("iframe");
  frame.src = address.href;
  frame.title = title;
  frame.loading = "lazy";
  frame.referrerPolicy = "no-referrer";
  // Links lead the whole page on, at a click and never by themselves.
  for (const may of [
    "allow-scripts",
    "allow-same-origin",
    "allow-popups",
    "allow-popups-to-escape-sandbox",
    "allow-top-navigation-by-user-activation",
  ]) {
    frame.sandbox.add(may);
  }
  Object.assign(frame.style, { display: "block", width: "100%", height: "1px", border: "0" });
  addEventListener("message", (event) => {
    if (event.source !== frame.contentWindow || event.origin !== address.origin) return;
    const { lookalike, height } = event.data ?? {};
    if (lookalike === "strip" && Number.isFinite(height)) frame.style.height = `${height}px`;
  });
  if (place === script.parentElement) script.after(frame);
  else place.append(frame);

  // What the page is like here: its reader may prefer the dark, and the page know only the light.
  function ground(element) {
    for (let one = element; one; one = one.parentElement) {
      const [red, green, blue, alpha = 1] = getComputedStyle(one).backgroundColor.match(/[\d.]+/g).map(Number);
      if (alpha > 0.5) return 0.2126 * red + 0.7152 * green + 0.0722 * blue < 128 ? "dark" : "light";
    }
    const schemes = getComputedStyle(document.documentElement).colorScheme;
    const dark = schemes.includes("dark") && matchMedia("(prefers-color-scheme: dark)").matches;
    return dark || schemes === "dark" ? "dark" : "light";
  }
})();
