// Shares the search that is shown: says for how long the photo is kept, and only then sends it to be.
"use strict";

(() => {
  const dialog = find("share");
  if (!dialog) return;
  const [ask, made] = [find("share-ask"), find("share-made")];

  document.addEventListener("click", (event) => {
    if (clicked(event, "[data-share]")) open();
  });
  find("share-make").addEventListener("click", make);
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog || event.target.closest("[data-done]")) dialog.close(); // or beside it
    if (event.target.closest("[data-copy]")) copy();
    if (event.target.closest("[data-send]")) send();
  });
  made.addEventListener("submit", (event) => {
    event.preventDefault();
    forget(event.target);
  });

  function open() {
    const until = new Date(Date.now() + Number(dialog.dataset.hours) * 3_600_000);
    find("share-until").textContent = word("share.until", { time: localTime(until) });
    made.hidden = true;
    ask.hidden = false;
    ask.querySelector(".trouble")?.remove();
    dialog.showModal();
    find("share-title").focus();
  }

  async function make() {
    const search = await searching.current();
    const body = new FormData();
    body.append("image", search.photo, "photo");
    if (search.region) body.append("region", search.region.map((share) => share.toFixed(4)).join());
    const button = find("share-make");
    button.disabled = true;
    ask.querySelector(".trouble")?.remove();
    try {
      const address = dialog.dataset.action + new URL(search.address, location.href).search;
      const answer = await fetch(address, { method: "POST", body, headers: FRAGMENT });
      const html = await answer.text();
      if (answer.ok) show(html);
      else ask.insertAdjacentHTML("afterbegin", html); // our own template, which says what is wrong
    } catch {
      ask.prepend(find("unreachable").content.cloneNode(true));
    } finally {
      button.disabled = false;
    }
  }

  function show(html) {
    made.innerHTML = html; // our own template, in which everything foreign is escaped
    ask.hidden = true;
    made.hidden = false;
    sayLocalTimes();
    made.querySelector("[data-send]").hidden = !(navigator.share && matchMedia("(pointer: coarse)").matches);
    find("share-made-title").focus();
    copy();
  }

  async function copy() {
    const field = find("share-address");
    let copied = false;
    try {
      await navigator.clipboard.writeText(field.value);
      copied = true;
    } catch {
      field.select(); // not allowed, or no secure page: it is there to be copied by hand
    }
    find("share-said").textContent = word(copied ? "share.copied" : "share.by-hand");
  }

  async function send() {
    try {
      await navigator.share({ title: document.title, url: find("share-address").value });
    } catch (error) {
      if (error.name !== "AbortError") throw error; // whoever thought better of it
    }
  }

  async function forget(form) {
    try {
      const answer = await fetch(form.action, { method: "POST", headers: FRAGMENT });
      if (!answer.ok && answer.status !== 410) throw new Error(answer.statusText);
      dialog.close();
      say(word("share.forgotten"));
    } catch {
      find("share-said").textContent = word("share.not-forgotten");
    }
  }
})();
