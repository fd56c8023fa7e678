// Remembers what is liked and what is not, shows it in a tray at the bottom of the page, and searches
// by it: together with the photo, if one was searched with. Without it the same are links, one choice
// at a time.
//
// What is chosen is kept for this window (sessionStorage); on the page of such a search, the address
// says it.
"use strict";

(() => {
  const NAME = "lookalike.likes";
  const KINDS = ["like", "unlike"];
  const tray = find("tray");
  const most = Number(tray.dataset.most);
  const here = find("chosen"); // what the address says, on the page that it is the address of
  const wanted = () => JSON.stringify(KINDS.map((kind) => chosen[kind].map((one) => one.id)));
  let chosen = { like: [], unlike: [] };

  if (!document.querySelector("#stage, #similar, .samples")) return;
  read();
  document.addEventListener("click", (event) => {
    const toggle = event.target.closest?.("button.like");
    if (toggle) toggled(toggle);
    const remove = event.target.closest?.(".tray-one");
    if (remove) removed(remove);
  });
  find("tray-search").addEventListener("click", search);
  find("tray-clear").addEventListener("click", clear);
  for (const kind of ["lookalike:shown", "lookalike:joined", "lookalike:back"]) {
    document.addEventListener(kind, show);
  }
  addEventListener("pageshow", (event) => event.persisted && read());
  document.addEventListener("lookalike:photo", show);

  // ---- what is chosen ----

  function read() {
    chosen = { like: [], unlike: [] };
    if (here) {
      for (const one of here.querySelectorAll(".chosen")) {
        const { id, name, picture } = one.dataset;
        chosen[one.closest(".chosen-group").dataset.kind].push({ id, name, picture });
      }
      remember();
    } else {
      const kept = storage.getItem(NAME);
      if (kept) chosen = JSON.parse(kept);
    }
    show();
  }

  // What the answer that is shown was asked by, as its address says it.
  function asked() {
    const pairs = JSON.parse(document.querySelector("[data-hidden]")?.dataset.hidden ?? "[]");
    return JSON.stringify(KINDS.map((kind) => pairs.filter(([name]) => name === kind).map(([, id]) => id)));
  }

  function remember() {
    storage.setItem(NAME, JSON.stringify(chosen));
  }

  function toggled(toggle) {
    const { id } = toggle.closest(".likes").dataset;
    const listing = toggle.closest(".card, .listing");
    const name = listing.querySelector(".cover, h1").textContent;
    const picture = listing.querySelector(".box > img")?.getAttribute("src") ?? "";
    const { kind } = toggle.dataset;
    const was = chosen[kind].some((one) => one.id === id);
    if (!was && chosen.like.length + chosen.unlike.length >= most) {
      return say(word("likes.most", { count: most }));
    }
    for (const one of KINDS) chosen[one] = chosen[one].filter((other) => other.id !== id);
    if (!was) chosen[kind].push({ id, name, picture });
    changed(was ? word("likes.removed", { name }) : word(`likes.${kind}`, { name }));
  }

  function removed(button) {
    const buttons = [...tray.querySelectorAll(".tray-one")];
    const next = buttons.indexOf(button);
    const { id, name } = button.dataset;
    for (const kind of KINDS) chosen[kind] = chosen[kind].filter((one) => one.id !== id);
    changed(word("likes.removed", { name }));
    const rest = [...tray.querySelectorAll(".tray-one")];
    (rest[Math.min(next, rest.length - 1)] ?? find("main")).focus({ preventScroll: true });
  }

  function clear() {
    chosen = { like: [], unlike: [] };
    changed(word("likes.cleared"));
    find("main").focus({ preventScroll: true });
  }

  function changed(said) {
    remember();
    show();
    say(said);
  }

  // ---- searching ----

  function search() {
    const photo = searched !== null;
    const address = new URL(photo ? tray.dataset.photoAction : tray.dataset.action, location.href);
    const now = new URLSearchParams(photo ? photoAddress().search : here ? location.search : "");
    for (const [name, value] of now) {
      if (![...KINDS, "cursor"].includes(name)) address.searchParams.append(name, value);
    }
    for (const kind of KINDS) chosen[kind].forEach((one) => address.searchParams.append(kind, one.id));
    if (!photo) return location.assign(address);
    // Who has the photo still (results.js) asks with it, and shows the answer in place.
    document.dispatchEvent(
      new CustomEvent("lookalike:filter", { detail: address.href, cancelable: true }),
    );
    scrollTo({ top: 0 });
  }

  // How the answer to a photo is narrowed: the form of its filters says so.
  function photoAddress() {
    const form = find("filter-form");
    const address = new URL(location.href);
    if (form) address.search = new URLSearchParams([...new FormData(form)].filter(([, value]) => value.trim()));
    return address;
  }

  // ---- showing it ----

  function show() {
    document.querySelectorAll("a.like").forEach(makeButton);
    for (const toggle of document.querySelectorAll("button.like")) {
      const { id } = toggle.closest(".likes").dataset;
      const pressed = chosen[toggle.dataset.kind].some((one) => one.id === id);
      toggle.setAttribute("aria-pressed", String(pressed));
      toggle.closest(".card")?.classList.toggle(`is-${toggle.dataset.kind}d`, pressed);
    }
    for (const kind of KINDS) fill(kind, chosen[kind]);
    const photo = searched !== null && find("asked-photo");
    fill("photo", photo ? [{ picture: photo.src }] : []);
    const some = chosen.like.length + chosen.unlike.length > 0;
    const same = wanted() === (photo || here ? asked() : "");
    // What was asked by and is not wanted any more can be asked without.
    tray.hidden = here ? same : !some && !(photo && !same);
    find("tray-search").disabled = same || (!photo && chosen.like.length === 0);
    document.documentElement.classList.toggle("with-tray", !tray.hidden);
    // Whoever reads a size makes the browser lay the page out at once.
    if (!tray.hidden) document.documentElement.style.setProperty("--tray", `${tray.offsetHeight}px`);
  }

  function makeButton(link) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = link.className;
    button.title = link.title;
    button.ariaLabel = link.ariaLabel;
    button.dataset.kind = link.dataset.kind;
    link.replaceWith(button);
  }

  function fill(kind, ones) {
    const group = tray.querySelector(`[data-kind="${kind}"]`);
    group.hidden = ones.length === 0;
    group.querySelector("ul").replaceChildren(...ones.map((one) => shownInTray(kind, one)));
  }

  function shownInTray(kind, { id, name, picture }) {
    const item = document.createElement("li");
    const image = document.createElement(picture ? "img" : "span");
    if (picture) Object.assign(image, { src: picture, alt: "" });
    image.classList.add("tray-picture");
    if (kind === "photo") {
      item.append(image);
      return item;
    }
    const button = document.createElement("button");
    Object.assign(button, { type: "button", className: "tray-one", title: name });
    Object.assign(button.dataset, { id, name });
    button.setAttribute("aria-label", word("likes.remove", { name }));
    button.append(image);
    item.append(button);
    return item;
  }
})();
