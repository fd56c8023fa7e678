// What goes on within an answer: the next page joins it, and a filter or another order changes it in
// place. Without it these are pages of their own, and an answer to a photo, which nobody else has,
// is not narrowed.
//
// It listens on the document for "lookalike:more" (detail: a control with data-more, to be followed
// without moving the focus), and says there "lookalike:shown" of another answer, "lookalike:joined"
// of more hits, "lookalike:leaving" before the address changes.
"use strict";

(() => {
  const similar = find("similar"); // on a page with an address; an answer to a photo is in the stage
  let narrowing = null;
  let shown = location.pathname + location.search;

  document.addEventListener("click", (event) => {
    const link = clicked(event, "a[data-more]");
    if (!link) return;
    event.preventDefault();
    showMore(link);
  });
  document.addEventListener("submit", (event) => {
    const form = event.target.closest?.("form[data-more]");
    if (!form) return;
    event.preventDefault();
    showMore(form);
  });
  document.addEventListener("lookalike:more", (event) => showMore(event.detail, true));
  document.addEventListener("lookalike:filter", (event) => {
    const photo = !similar && searched;
    if (!similar && !photo) return;
    if (similar && new URL(event.detail, location.href).pathname !== location.pathname) return;
    event.preventDefault();
    narrow(event.detail);
  });
  if (similar) {
    addEventListener("popstate", () => {
      // A picture of the gallery has an address too, and the same answer.
      if (location.pathname + location.search !== shown) narrow(location.href, false);
    });
  }
  document.addEventListener("load", (event) => settled(event.target), true);
  document.addEventListener("error", (event) => settled(event.target), true);
  document.addEventListener("lookalike:shown", () => awaitPictures(document));
  awaitPictures(document);

  // ---- the next page ----

  async function showMore(control, quietly = false) {
    const place = control.closest(".more-hits");
    if (place.getAttribute("aria-busy")) return;
    const grid = place.parentElement.querySelector(".grid");
    const button = control.querySelector("button") ?? control;
    place.setAttribute("aria-busy", "true");
    const said = button.textContent;
    button.textContent = word("loading");
    place.querySelector(".trouble")?.remove();
    try {
      const answer = await ask(control);
      const part = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (!grid.isConnected) return; // narrowed meanwhile
      if (answer.ok) return join(grid, place, part, quietly);
      place.replaceChildren(...part.body.children); // a cursor that is too old: its hint says what to do
    } catch {
      place.append(find("unreachable").content.cloneNode(true));
    }
    button.textContent = said;
    place.removeAttribute("aria-busy");
  }

  function ask(control) {
    if (control.href) return fetch(control.href, { headers: FRAGMENT });
    const body = new FormData(control);
    return fetch(control.action, { method: "POST", body, headers: FRAGMENT });
  }

  function join(grid, place, part, quietly) {
    const cards = [...part.querySelectorAll(".grid > .card")];
    // Whoever waits at the control goes on with the first new card.
    const waiting = place.contains(document.activeElement);
    grid.append(...cards);
    awaitPictures(grid);
    const next = part.querySelector(".more-hits");
    if (next) place.replaceWith(next);
    else place.remove();
    if (!quietly || waiting) cards[0]?.querySelector("a").focus({ preventScroll: true });
    say(word("joined", { count: cards.length }));
    document.dispatchEvent(new CustomEvent("lookalike:joined", { detail: { quietly } }));
  }

  // ---- pictures on their way ----

  // Only what the script sees is missing waits: without it, every picture is simply there.
  function awaitPictures(within) {
    for (const image of within.querySelectorAll(".box > img")) {
      if (!image.complete) image.parentElement.classList.add("waiting");
      else fillBox(image);
    }
  }

  function settled(image) {
    if (image.matches?.(".box > img")) image.parentElement.classList.remove("waiting");
  }

  // ---- filters, and the order ----

  async function narrow(address, remember = true) {
    narrowing?.abort();
    const mine = (narrowing = new AbortController());
    const before = document.querySelector(".filtered, .unfiltered");
    before?.setAttribute("aria-busy", "true");
    before?.querySelector(":scope > .found > .trouble")?.remove();
    const options = { headers: FRAGMENT, signal: mine.signal };
    const photo = searched; // another one may be searched with meanwhile
    if (!similar) Object.assign(options, { method: "POST", body: photo });
    try {
      const answer = await fetch(address, options);
      const html = await answer.text();
      if (narrowing !== mine || searched !== photo) return;
      if (!answer.ok && !html.includes("<h2")) return refused(before, html);
      if (similar && remember) {
        document.dispatchEvent(new Event("lookalike:leaving"));
        history.pushState(null, "", address);
      }
      shown = location.pathname + location.search;
      replace(html);
    } catch (error) {
      if (error.name === "AbortError") return;
      before?.querySelector(".found").prepend(find("unreachable").content.cloneNode(true));
    } finally {
      if (narrowing === mine) before?.removeAttribute("aria-busy");
    }
  }

  // Too many at once, or a server that is not ready: what is shown stays, with the reason above it.
  function refused(before, html) {
    before?.querySelector(".found").insertAdjacentHTML("afterbegin", html); // our own template
  }

  function replace(html) {
    const place = similar ?? find("stage");
    const focused = place.contains(document.activeElement) ? document.activeElement : null;
    const again = focused && sameControl(focused);
    const scrolled = place.querySelector(".filters")?.scrollTop ?? 0;
    place.innerHTML = html; // our own template, in which everything foreign is escaped
    document.dispatchEvent(new Event("lookalike:shown"));
    const filters = place.querySelector(".filters");
    if (filters) filters.scrollTop = scrolled;
    const title = place.querySelector("h2");
    const next = (again && place.querySelector(again)) ?? title;
    if (focused) next?.focus({ preventScroll: true });
    if (focused?.type === "number" && next?.type === "number") goOnTyping(next, focused.value);
    const count = place.querySelectorAll(".grid > .card").length;
    say(count === 0 ? word("nothing") : word("found", { count }));
  }

  // What was typed while the answer was on its way counts once it is left, like any other.
  function goOnTyping(field, typed) {
    field.value = typed;
    const said = () => field.value !== field.defaultValue && field.dispatchEvent(new Event("change", { bubbles: true }));
    field.addEventListener("blur", said, { once: true });
  }

  // Where the focus goes in the new answer: to the same input, or to the order that was chosen.
  function sameControl(control) {
    if (control.closest(".order")) return ".order a[aria-current]";
    if (control.value === undefined) return null;
    const named = `[name="${CSS.escape(control.name)}"]`;
    const value = control.type === "checkbox" ? `[value="${CSS.escape(control.value)}"]` : "";
    return `.filters input${named}${value}`;
  }
})();
