// Why a hit was found: over the page, for a photo that is only here, or for a listing.
"use strict";

(() => {
  const dialog = find("why");
  if (!dialog) return;
  let asking = null;

  document.addEventListener("click", (event) => {
    const control = clicked(event, "[data-why]");
    if (!control) return;
    event.preventDefault();
    asking = new AbortController();
    showWhy(control, asking.signal);
  });
  find("why-close").addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close(); // beside it, that is
  });
  dialog.addEventListener("close", () => asking?.abort());

  async function showWhy(control, signal) {
    const content = find("why-content");
    content.replaceChildren(find("why-wait").content.cloneNode(true));
    dialog.showModal();
    try {
      const answer = await askWhy(control, signal);
      const html = await answer.text();
      if (!signal.aborted) content.innerHTML = html; // our own template, in which everything foreign is escaped
    } catch (error) {
      if (error.name === "AbortError") return;
      if (control.href) return location.assign(control.href);
      content.replaceChildren(find("unreachable").content.cloneNode(true));
    }
  }

  function askWhy(control, signal) {
    if (control.href) return fetch(control.href, { headers: FRAGMENT, signal });
    const body = new FormData();
    body.append("listing_id", control.dataset.why);
    for (const name of ["image", "image_url", "region"]) {
      if (searched.has(name)) body.append(name, searched.get(name));
    }
    const { action } = dialog.dataset;
    return fetch(action, { method: "POST", body, headers: FRAGMENT, signal });
  }
})();
