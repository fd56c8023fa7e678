// Makes filters quicker: a choice counts at once where there is room for the panel, and the address
// holds one short filter. Without it the form is sent by its button.
//
// Whoever holds what was searched with (a photo) listens for "lookalike:filter" on the document,
// whose detail is the address asked for, and prevents it to fetch the answer itself.
"use strict";

(() => {
  const wide = matchMedia("(min-width: 64rem)");

  let soon = null;

  document.addEventListener("change", (event) => {
    const form = event.target.closest?.("#filter-form");
    if (!form || !wide.matches) return;
    // Of Enter in a field the browser makes a change and, at once, a submit: it asks once.
    clearTimeout(soon);
    soon = setTimeout(() => form.isConnected && form.requestSubmit());
  });
  document.addEventListener("submit", (event) => {
    if (event.target.id !== "filter-form") return;
    event.preventDefault();
    clearTimeout(soon);
    go(addressOf(event.target));
  });
  document.addEventListener("click", (event) => {
    const link = clicked(event, "a[data-filter-link]");
    if (link && !ask(link.href)) event.preventDefault();
  });
  wide.addEventListener("change", openWhereThereIsRoom);
  document.addEventListener("lookalike:shown", openWhereThereIsRoom);
  openWhereThereIsRoom();

  function go(address) {
    if (!ask(address)) return;
    document.querySelector(".filtered")?.setAttribute("aria-busy", "true");
    location.assign(address);
  }

  // False if somebody else sees to it.
  function ask(address) {
    return document.dispatchEvent(
      new CustomEvent("lookalike:filter", { detail: address, cancelable: true }),
    );
  }

  // What is left empty is not sent; the rest goes as it would without a script.
  function addressOf(form) {
    const address = new URL(form.action);
    const kept = [...new FormData(form)].filter(([, value]) => value.trim() !== "");
    address.search = new URLSearchParams(kept);
    return address.href;
  }

  function openWhereThereIsRoom() {
    const panel = document.getElementById("filter-panel");
    if (panel && wide.matches) panel.open = true;
  }

  // Back from another page, the browser may show the boxes as they were left.
  addEventListener("pageshow", (event) => {
    document.querySelector(".filtered")?.removeAttribute("aria-busy");
    if (event.persisted) document.getElementById("filter-form")?.reset();
  });
})();
