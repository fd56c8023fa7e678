// More hits come by themselves near the end of an answer, a few pages at a time: then the button asks,
// so that the footer can be reached. Whoever comes back finds the pages that were there, and the place.
//
// What was loaded is kept in sessionStorage, under a name that the entry of the history knows
// (history.state.results). It is shown again where the answer begins with the same hits: of a page by
// itself, of an answer to a photo once "lookalike:shown" says that it is there again.
"use strict";

(() => {
  const BY_THEMSELVES = 3; // pages
  const AHEAD = "800px";
  const KEPT = 8; // answers
  const NAME = "lookalike.results.";
  const saving = navigator.connection?.saveData;
  let left = BY_THEMSELVES;
  let returning = ["back_forward", "reload"].includes(
    performance.getEntriesByType("navigation")[0]?.type,
  );

  const near = saving ? null : new IntersectionObserver(come, { rootMargin: `0px 0px ${AHEAD}` });

  document.addEventListener("lookalike:joined", (event) => {
    // Whoever pressed the button is taken on for as many pages again.
    left = event.detail.quietly ? left - 1 : BY_THEMSELVES;
    keep();
    watch();
  });
  document.addEventListener("lookalike:shown", () => {
    left = BY_THEMSELVES;
    bringBack();
    watch();
  });
  document.addEventListener("lookalike:leaving", keepPlace);
  addEventListener("pagehide", keepPlace);
  addEventListener("popstate", () => (returning = true));
  for (const kind of ["pointerdown", "keydown", "wheel", "drop", "paste"]) {
    addEventListener(kind, () => (returning = false), { capture: true, passive: true });
  }
  bringBack();
  watch();

  // ---- coming by themselves ----

  function watch() {
    near?.disconnect();
    const place = moreHits();
    if (place && left > 0) near?.observe(place);
  }

  function come(entries) {
    if (left < 1 || !entries.some((entry) => entry.isIntersecting)) return;
    const control = moreHits()?.querySelector("[data-more]");
    if (control) document.dispatchEvent(new CustomEvent("lookalike:more", { detail: control }));
  }

  // ---- coming back ----

  function keep() {
    const found = grid()?.parentElement;
    if (!found) return;
    const name = history.state?.results ?? NAME + crypto.getRandomValues(new Uint32Array(2)).join("");
    history.replaceState({ ...history.state, results: name }, "");
    store(name, {
      at: Date.now(),
      language: document.documentElement.lang,
      cards: grid().innerHTML,
      more: moreHits()?.outerHTML ?? "",
      left,
    });
  }

  function keepPlace() {
    if (history.state?.results) store(`${history.state.results}.y`, { at: Date.now(), y: scrollY });
  }

  function store(name, value) {
    forgetOldest();
    try {
      storage.setItem(name, JSON.stringify(value));
    } catch {
      // There is no room, or no leave to store anything: coming back then finds the first page.
      storage.removeItem(name);
    }
  }

  function forgetOldest() {
    const names = Object.keys(storage).filter((name) => name.startsWith(NAME));
    const answers = names.filter((name) => !name.endsWith(".y"));
    const age = (name) => JSON.parse(storage.getItem(name)).at;
    for (const name of answers.sort((a, b) => age(b) - age(a)).slice(KEPT)) {
      storage.removeItem(name);
      storage.removeItem(`${name}.y`);
    }
  }

  function bringBack() {
    const name = history.state?.results;
    const kept = returning && name && JSON.parse(storage.getItem(name));
    if (!kept || kept.language !== document.documentElement.lang) return;
    const before = document.createElement("template");
    before.innerHTML = kept.cards; // what this page was given by our own templates
    if (!grid() || !beginsWith(before.content, grid())) return;
    grid().replaceChildren(before.content);
    grid().querySelectorAll(".box").forEach((box) => box.classList.remove("waiting"));
    moreHits()?.remove();
    grid().insertAdjacentHTML("afterend", kept.more);
    moreHits()?.removeAttribute("aria-busy");
    left = kept.left;
    document.dispatchEvent(new Event("lookalike:back"));
    const place = JSON.parse(storage.getItem(`${name}.y`));
    if (place) scrollTo({ top: place.y, behavior: "instant" });
  }

  function beginsWith(longer, shorter) {
    const [all, first] = [longer, shorter].map((one) =>
      [...one.querySelectorAll(".cover")].map((link) => link.getAttribute("href")),
    );
    return first.length > 0 && all.length > first.length && first.every((href, n) => href === all[n]);
  }

  function grid() {
    return document.querySelector(".found .grid");
  }

  function moreHits() {
    return document.querySelector(".more-hits");
  }
})();
