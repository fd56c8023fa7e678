// What goes on within an answer: the next page joins it, and a filter narrows it in place. Without
// it both are pages of their own, and an answer to a photo, which nobody else has, is not narrowed.
"use strict";

(() => {
  const FRAGMENT = { "X-Lookalike-Fragment": "1" };
  const similar = find("similar"); // on a listing's page; an answer to a photo is in the stage
  let narrowing = null;

  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[data-more]");
    const elsewhere = event.ctrlKey || event.metaKey || event.shiftKey || event.altKey;
    if (!link || elsewhere) return;
    event.preventDefault();
    showMore(link, link, () => fetch(link.href, { headers: FRAGMENT }));
  });
  document.addEventListener("submit", (event) => {
    const form = event.target.closest?.("form[data-more]");
    if (!form) return;
    event.preventDefault();
    const body = new FormData(form);
    const button = form.querySelector("button");
    showMore(form, button, () => fetch(form.action, { method: "POST", body, headers: FRAGMENT }));
  });
  document.addEventListener("lookalike:filter", (event) => {
    const photo = !similar && searched;
    if (!similar && !photo) return;
    event.preventDefault();
    narrow(event.detail);
  });
  if (similar) addEventListener("popstate", () => narrow(location.href, false));

  // ---- the next page ----

  async function showMore(control, button, ask) {
    const place = control.closest(".more-hits");
    if (place.getAttribute("aria-busy")) return;
    const grid = place.parentElement.querySelector(".grid");
    place.setAttribute("aria-busy", "true");
    const said = button.textContent;
    button.textContent = word("loading");
    place.querySelector(".trouble")?.remove();
    try {
      const answer = await ask();
      const part = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (!grid.isConnected) return; // narrowed meanwhile
      if (answer.ok) return join(grid, place, part);
      place.replaceChildren(...part.body.children); // a cursor that is too old: its hint says what to do
    } catch {
      place.append(find("unreachable").content.cloneNode(true));
    }
    button.textContent = said;
    place.removeAttribute("aria-busy");
  }

  function join(grid, place, part) {
    const cards = [...part.querySelectorAll(".grid > .card")];
    grid.append(...cards);
    cards.flatMap((card) => [...card.querySelectorAll(".box > img")]).forEach(fillBox);
    const next = part.querySelector(".more-hits");
    if (next) place.replaceWith(next);
    else place.remove();
    cards[0]?.querySelector("a").focus({ preventScroll: true });
    say(word("joined", { count: cards.length }));
  }

  // ---- filters ----

  async function narrow(address, remember = true) {
    narrowing?.abort();
    const mine = (narrowing = new AbortController());
    const shown = document.querySelector(".filtered");
    shown?.setAttribute("aria-busy", "true");
    const options = { headers: FRAGMENT, signal: mine.signal };
    const photo = searched; // another one may be searched with meanwhile
    if (!similar) Object.assign(options, { method: "POST", body: photo });
    try {
      const answer = await fetch(address, options);
      const html = await answer.text();
      if (narrowing !== mine || searched !== photo) return;
      if (similar && remember) history.pushState(null, "", address);
      replace(html);
    } catch (error) {
      if (error.name === "AbortError") return;
      shown?.querySelector(".found").prepend(find("unreachable").content.cloneNode(true));
    } finally {
      if (narrowing === mine) shown?.removeAttribute("aria-busy");
    }
  }

  function replace(html) {
    const place = similar ?? find("stage");
    const focused = place.contains(document.activeElement) ? document.activeElement : null;
    const again = focused && (focused.value !== undefined ? sameInput(focused) : null);
    const scrolled = place.querySelector(".filters")?.scrollTop ?? 0;
    place.innerHTML = html; // our own template, in which everything foreign is escaped
    document.dispatchEvent(new Event("lookalike:shown"));
    const filters = place.querySelector(".filters");
    if (filters) filters.scrollTop = scrolled;
    const title = place.querySelector("h2");
    if (focused) (place.querySelector(again) ?? title)?.focus({ preventScroll: true });
    const count = place.querySelectorAll(".grid > .card").length;
    say(count === 0 ? word("nothing") : word("found", { count }));
  }

  function sameInput(input) {
    const named = `[name="${CSS.escape(input.name)}"]`;
    const value = input.type === "checkbox" ? `[value="${CSS.escape(input.value)}"]` : "";
    return `.filters input${named}${value}`;
  }
})();
