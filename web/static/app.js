// Makes the page quicker: searches in place, and takes photos by drop and paste.
// Everything works without it too; nothing here is needed to search.
"use strict";

document.documentElement.classList.add("script");

const find = (id) => document.getElementById(id);
const form = find("search");
let running = null;
let searched = null; // what was sent for the answer that is shown: the server keeps no photo

if (form) {
  listenForPhotos();
  find("cancel").addEventListener("click", cancel);
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && running) cancel();
  });
}
listenForWhy();
waitForIndex();
document.addEventListener("error", hideBrokenPicture, true);
document.addEventListener("load", (event) => fillBox(event.target), true);
document.querySelectorAll(".box > img").forEach(fillBox);

// ---- where photos come from ----

function listenForPhotos() {
  find("photo").addEventListener("change", (event) => {
    const [file] = event.target.files;
    if (file) search(file);
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const [file] = find("photo").files;
    if (file) search(file);
  });
  document.addEventListener("paste", (event) => {
    const file = photoIn(event.clipboardData);
    if (file) search(file);
  });
  listenForDrops();
}

function listenForDrops() {
  // A drop anywhere on the page counts: a missed drop zone would open the photo in the browser.
  let depth = 0;
  const show = (over) => form.classList.toggle("over", over);
  const carriesFiles = (event) => event.dataTransfer?.types.includes("Files");
  document.addEventListener("dragenter", (event) => {
    if (carriesFiles(event)) show(++depth > 0);
  });
  document.addEventListener("dragleave", (event) => {
    if (carriesFiles(event)) show((depth = Math.max(0, depth - 1)) > 0);
  });
  document.addEventListener("dragover", (event) => {
    if (carriesFiles(event)) event.preventDefault();
  });
  document.addEventListener("drop", (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    show((depth = 0) > 0);
    const file = photoIn(event.dataTransfer);
    if (file) search(file);
    else showTrouble("no-photo");
  });
}

function photoIn(transfer) {
  const files = [...(transfer?.files ?? [])];
  // A kind that the browser does not know (HEIC, often) has no type; the server will tell.
  return files.find((file) => file.type.startsWith("image/") || file.type === "");
}

// ---- searching ----

async function search(file) {
  running?.abort();
  if (file.size > Number(form.dataset.maxBytes)) return showTrouble("too-large");
  const mine = (running = new AbortController());
  showSearching(file);
  const body = new FormData();
  body.append("image", file, "photo");
  try {
    const answer = await fetch(form.action, {
      method: "POST",
      body,
      headers: { "X-Lookalike-Fragment": "1" },
      signal: mine.signal,
    });
    const html = await answer.text();
    if (running === mine) {
      searched = body;
      showFound(html);
    }
  } catch (error) {
    if (error.name !== "AbortError") showTrouble("unreachable");
  } finally {
    if (running === mine) stopSearching();
  }
}

function cancel() {
  running?.abort();
  stopSearching();
  say(word("cancelled"));
  find("photo").focus();
}

function showSearching(file) {
  const photo = find("searching-photo");
  const box = photo.closest(".asked");
  URL.revokeObjectURL(photo.src);
  box.hidden = false;
  photo.onerror = () => (box.hidden = true);
  photo.src = URL.createObjectURL(file);
  find("stage").replaceChildren();
  find("found")?.remove();
  find("searching").hidden = false;
  form.classList.add("small");
  form.closest(".hero")?.classList.add("done");
  say(word("searching"));
  scrollTo({ top: 0 });
}

function stopSearching() {
  running = null;
  find("searching").hidden = true;
  find("photo").value = "";
}

function showFound(html) {
  const stage = find("stage");
  stage.innerHTML = html; // our own template, in which everything foreign is escaped
  document.dispatchEvent(new Event("lookalike:shown"));
  find("searching").hidden = true;
  const title = find("results-title");
  if (!title) return;
  say(title.dataset.news);
  document.title = word("title");
  title.focus({ preventScroll: true });
}

function showTrouble(id) {
  find("stage").replaceChildren(find(id).content.cloneNode(true));
  find("stage").scrollIntoView({ block: "nearest" });
}

function say(text) {
  find("news").textContent = text;
}

// ---- why a hit was found ----

function listenForWhy() {
  const dialog = find("why");
  let asking = null;
  document.addEventListener("click", (event) => {
    const control = event.target.closest?.("[data-why]");
    const elsewhere = event.ctrlKey || event.metaKey || event.shiftKey || event.altKey;
    if (!control || elsewhere) return;
    event.preventDefault();
    asking = new AbortController();
    showWhy(control, asking.signal);
  });
  find("why-close").addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close(); // beside it, that is
  });
  dialog.addEventListener("close", () => asking?.abort());
}

async function showWhy(control, signal) {
  const content = find("why-content");
  content.replaceChildren(find("why-wait").content.cloneNode(true));
  find("why").showModal();
  try {
    const answer = await askWhy(control, signal);
    const html = await answer.text();
    if (!signal.aborted) content.innerHTML = html; // our own template, as above
  } catch (error) {
    if (error.name === "AbortError") return;
    if (control.href) return location.assign(control.href);
    content.replaceChildren(find("unreachable").content.cloneNode(true));
  }
}

function askWhy(control, signal) {
  const headers = { "X-Lookalike-Fragment": "1" };
  if (control.href) return fetch(control.href, { headers, signal });
  const body = new FormData();
  body.append("listing_id", control.dataset.why);
  for (const name of ["image", "region"]) {
    if (searched.has(name)) body.append(name, searched.get(name));
  }
  return fetch(find("why").dataset.action, { method: "POST", body, headers, signal });
}

// ---- around it ----

function hideBrokenPicture(event) {
  if (event.target.matches?.(".box > img")) event.target.closest(".box").classList.add("broken");
}

// A picture that almost has the shape of its box fills it; others are shown whole.
function fillBox(image) {
  if (!image.matches?.(".box > img") || !image.naturalWidth) return;
  const box = image.parentElement;
  const ratio = (image.naturalWidth / image.naturalHeight) * (box.clientHeight / box.clientWidth);
  image.classList.toggle("fill", Math.abs(Math.log(ratio)) < 0.15);
}

function waitForIndex() {
  const place = document.querySelector("[data-wait-for]");
  if (!place) return;
  const timer = setInterval(async () => {
    try {
      const answer = await fetch(place.dataset.waitFor, { cache: "no-store" });
      if (answer.ok) {
        clearInterval(timer);
        location.reload();
      }
    } catch {
      // The server is being restarted, perhaps: the next look will tell.
    }
  }, 3000);
}
