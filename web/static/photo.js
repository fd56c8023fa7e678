// Where photos come from: a file, the camera, a drop, a paste, or a picture's address where the server
// fetches those. Everything is searched with at once (search.js).
"use strict";

(() => {
  if (!searching) return;
  const form = find("search");
  const fetches = "fetches" in form.dataset;

  for (const id of ["photo", "camera"]) {
    find(id).addEventListener("change", (event) => {
      const [file] = event.target.files;
      if (file) searching.photo(file);
    });
  }
  // One that was chosen before this came, over a slow line.
  const [early] = find("photo").files;
  if (early) searching.photo(early);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const [file] = find("photo").files;
    const address = find("image-url")?.value.trim();
    if (file) searching.photo(file);
    else if (address) searching.url(address);
    else find("image-url")?.focus();
  });
  document.addEventListener("paste", (event) => {
    const file = photoIn(event.clipboardData);
    if (file) return searching.photo(file);
    if (event.target.closest?.("input, textarea")) return; // text that belongs there
    const address = addressIn(event.clipboardData);
    if (address) searching.url(address);
    else if (event.clipboardData?.files.length) searching.trouble("no-photo");
  });
  listenForDrops();

  function listenForDrops() {
    // A drop anywhere on the page counts: a missed drop zone would open the photo in the browser.
    let depth = 0;
    const show = (over) => form.classList.toggle("over", over);
    const counts = ({ dataTransfer: carried, target }) =>
      !target.closest?.("input[type=url]") &&
      (carried?.types.includes("Files") || (fetches && carried?.types.includes("text/uri-list")));
    document.addEventListener("dragenter", (event) => {
      if (counts(event)) show(++depth > 0);
    });
    document.addEventListener("dragleave", (event) => {
      if (counts(event)) show((depth = Math.max(0, depth - 1)) > 0);
    });
    document.addEventListener("dragover", (event) => {
      if (counts(event)) event.preventDefault();
    });
    document.addEventListener("drop", (event) => {
      if (!counts(event)) return;
      event.preventDefault();
      show((depth = 0) > 0);
      const file = photoIn(event.dataTransfer);
      const address = !file && addressIn(event.dataTransfer);
      if (file) searching.photo(file);
      else if (address) searching.url(address);
      else searching.trouble("no-photo");
    });
  }

  function photoIn(transfer) {
    const files = [...(transfer?.files ?? [])];
    // A kind that the browser does not know (HEIC, often) has no type; the server will tell.
    return files.find((file) => file.type.startsWith("image/") || file.type === "");
  }

  // The address of a picture that was copied or dragged out of another page.
  function addressIn(transfer) {
    if (!fetches || !transfer) return null;
    const html = new DOMParser().parseFromString(transfer.getData("text/html"), "text/html");
    const listed = transfer.getData("text/uri-list").split(/\r?\n/).filter((line) => !line.startsWith("#"));
    const said = [html.querySelector("img")?.getAttribute("src"), ...listed, transfer.getData("text/plain")];
    return said.map((one) => one?.trim()).find((one) => /^https?:\/\/\S+$/i.test(one ?? "")) ?? null;
  }
})();
