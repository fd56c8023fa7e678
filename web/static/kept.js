// Keeps searches with photos in this window, so that they survive "reload" and "back": the photos in
// sessionStorage, what was asked with them in the entries of the history. "New search" clears both.
"use strict";

const kept = (() => {
  if (!find("search")) return null; // a page that nothing is searched with
  const NAME = "lookalike.photo.";
  const MOST_LETTERS = 2_000_000; // of one photo, as text; the whole storage takes some 5 million
  const photos = new Map(); // by the search that they were asked with; also where there is no storage
  const places = new Map(); // how far down each entry was left

  const carried = storage.getItem("lookalike.carried");
  if (carried) {
    storage.removeItem("lookalike.carried");
    history.replaceState({ search: JSON.parse(carried) }, "");
  }
  let entry = history.state?.search?.entry ?? null;

  return { add, arrive, read, clear, carry, leave, place };

  // Adds what is shown to the history, or puts it in the place of the present entry.
  function add(search, { instead = false } = {}) {
    const { photo, ...rest } = search;
    entry = instead && entry !== null ? entry : crypto.getRandomValues(new Uint32Array(1))[0];
    const state = { search: { ...rest, entry } };
    if (instead) history.replaceState({ ...history.state, ...state }, "");
    else history.pushState(state, "", find("search").dataset.home);
    history.scrollRestoration = "manual"; // the answer is not there yet when the browser scrolls
    if (photo && !photos.has(search.name)) store(search.name, photo);
  }

  // The place in the history that is shown now, where the browser went from one to another.
  function arrive() {
    entry = history.state?.search?.entry ?? null;
  }

  // Returns what the present entry was asked with, null where it is no search with a photo.
  function read() {
    const search = history.state?.search;
    const photo = search && photoOf(search.name);
    return photo ? { ...search, photo } : null;
  }

  function photoOf(name) {
    if (!photos.has(name)) {
      const text = storage.getItem(NAME + name);
      if (text) photos.set(name, blobOf(text));
    }
    return photos.get(name) ?? null;
  }

  // Takes the search along to the page that is opened next: the same one in another language.
  function carry() {
    put("lookalike.carried", JSON.stringify(history.state.search));
  }

  function store(name, photo) {
    photos.set(name, photo);
    const reader = new FileReader();
    reader.onload = () => {
      if (reader.result.length > MOST_LETTERS || !photos.has(name)) return;
      const before = Object.keys(storage).filter((other) => other.startsWith(NAME));
      while (!put(NAME + name, reader.result) && before.length) storage.removeItem(before.shift());
    };
    reader.readAsDataURL(photo);
  }

  function clear() {
    photos.clear();
    places.clear();
    for (const name of Object.keys(storage)) {
      if (name.startsWith(NAME)) storage.removeItem(name);
    }
  }

  // Before another entry is shown: remembers how far down this one was.
  function leave() {
    if (entry === null) return;
    places.set(entry, scrollY);
    put("lookalike.place", JSON.stringify([entry, scrollY]));
  }

  // False where there is no room left.
  function put(name, text) {
    try {
      storage.setItem(name, text);
      return true;
    } catch {
      return false;
    }
  }

  // How far down the present entry was left.
  function place() {
    if (places.has(entry)) return places.get(entry);
    const [left, y] = JSON.parse(storage.getItem("lookalike.place") ?? "[null, 0]");
    return left === entry ? y : 0;
  }
})();

// The bytes behind a data: URL, which fetch() may not read under this page's policy.
function blobOf(url) {
  const [head, text] = url.split(",");
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  return new Blob([bytes], { type: head.slice("data:".length).split(";")[0] });
}
