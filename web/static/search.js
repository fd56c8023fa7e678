// Searches with a photo in place: asks, shows that it asks, shows the answer or what went wrong, and
// asks again with another region, another filter, or what the history says.
//
// A search is {name, photo, size, from, region, address}: the photo's name in this window, the photo, its
// width and height, the address that it is to be fetched from instead of a photo, the part that
// matters (shares of the upright photo, null for all of it), and where the question goes, which says
// how it is narrowed. `searched` (app.js) is the form of it, to be sent once more by other scripts.
"use strict";

const searching = (() => {
  const SOON = 2500; // milliseconds
  const PATIENCE = 400;
  const form = find("search");
  if (!form) return null; // a page that nothing is searched with
  const stage = find("stage");
  const atStart = document.title;
  const start = new URL(form.dataset.home, location.href).href;
  const home = location.pathname === new URL(start).pathname;
  let shown = null; // the search whose answer is shown
  let asked = null; // the one that was asked last
  let running = null;
  let filtered = null; // the address that another script asks with
  let picture = null; // the photo that is shown, and where the browser has it
  let marked = -Infinity; // when a region was asked with last

  find("cancel").addEventListener("click", cancel);
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && running && !find("searching").hidden) cancel();
  });
  document.addEventListener("click", (event) => {
    if (clicked(event, "[data-new-search]")) startAnew();
    if (clicked(event, "a[href]")?.href === start) leadToStart(event);
    if (shown && clicked(event, "a[hreflang]")) kept.carry();
    if (clicked(event, "[data-retry]")) ask(asked);
  });
  document.addEventListener("lookalike:filter", (event) => {
    if (!searched) return;
    stop();
    leaving();
    filtered = event.detail;
  });
  // First of all who listen: the others find the photo there.
  document.addEventListener("lookalike:shown", onShown, { capture: true });
  addEventListener("popstate", goTo);
  addEventListener("pagehide", kept.leave);
  // An answer that came as a page is changed in place like any other.
  stage.append(...(find("found")?.childNodes ?? []));
  const before = kept.read();
  if (before) ask(before, { back: true });

  return { photo, url, region, current, trouble };

  // ---- what is asked ----

  async function photo(file) {
    stop();
    leaving();
    const mine = (running = new AbortController());
    // Until the size of the photo is known, it could only jump: it is waited for, but not for long.
    const slow = setTimeout(() => running === mine && showSearching(), PATIENCE);
    const { photo: sent, size } = await shrunk(file);
    clearTimeout(slow);
    if (running !== mine) return; // something else was searched with, or it was cancelled
    if (sent.size > Number(form.dataset.maxBytes)) return trouble("too-large");
    ask({ ...fresh(), photo: sent, size });
  }

  function url(from) {
    leaving();
    ask({ ...fresh(), from });
  }

  async function region(part) {
    const search = await current();
    if (!search) return;
    leaving();
    ask({ ...search, region: part }, { quietly: true });
  }

  function fresh() {
    const name = Date.now().toString(36);
    return { name, photo: null, size: null, from: null, region: null, address: form.action };
  }

  // Returns the search whose answer is shown; that of a page is made of what the page shows.
  async function current() {
    const image = find("asked-photo");
    if (shown || !image?.src) return shown;
    const photo = image.src.startsWith("data:")
      ? blobOf(image.src)
      : await (await fetch(image.src)).blob();
    const size = [image.naturalWidth, image.naturalHeight];
    const part = find("asked").dataset.region?.split(",").map(Number) ?? null;
    shown = { ...fresh(), photo, size, region: part, address: form.action + location.search };
    return shown;
  }

  async function ask(search, { quietly = false, back = false } = {}) {
    stop();
    const mine = (running = new AbortController());
    asked = search;
    const around = quietly && find("asked") !== null;
    const body = formOf(search, quietly || back);
    if (around) {
      searched = body; // what is narrowed meanwhile is narrowed with it
      stage.setAttribute("aria-busy", "true");
    } else {
      showSearching(search);
      if (!back) scrollTo({ top: 0, behavior: "instant" });
    }
    try {
      const options = { method: "POST", body, headers: FRAGMENT, signal: mine.signal };
      const html = await (await fetch(search.address, options)).text();
      if (running === mine) show(search, html, around, back);
    } catch (error) {
      if (error.name !== "AbortError") failed(around);
    } finally {
      if (running === mine) settle();
    }
  }

  function formOf(search, again) {
    const body = new FormData();
    if (search.photo) body.append("image", search.photo, "photo");
    else body.append("image_url", search.from);
    if (search.region) body.append("region", search.region.map((share) => share.toFixed(4)).join());
    if (!search.size) body.append("photo_back", "1");
    if (again) body.append("again", "1");
    return body;
  }

  // ---- what is shown ----

  // Without a search, one that is still being made ready.
  function showSearching(search) {
    const image = find("searching-photo");
    if (search) takePicture(search);
    image.hidden = !picture || !search;
    if (search?.size) {
      [image.width, image.height] = shownSize(search.size);
      image.src = picture.url;
    }
    image.closest(".asked").hidden = Boolean(search && !search.size);
    stage.replaceChildren();
    find("searching").hidden = false;
    makeRoom(true);
    document.dispatchEvent(new Event("lookalike:photo"));
    say(word("searching"));
  }

  function takePicture({ photo, size }) {
    if (photo === picture?.photo) return;
    if (picture) URL.revokeObjectURL(picture.url);
    picture = photo && size ? { photo, url: URL.createObjectURL(photo) } : null;
  }

  function show(search, html, around, back) {
    const answer = document.createElement("template");
    answer.innerHTML = html; // our own template, in which everything foreign is escaped
    if (!answer.content.querySelector("#results-title")) return showProblem(answer.content, around);
    const sent = answer.content.querySelector("#asked-photo");
    if (!search.size && sent?.src) {
      // The browser cannot show the photo, or does not have it: from now on, the server's is it.
      search = { ...search, photo: blobOf(sent.src), from: null, size: [sent.width, sent.height] };
    }
    takePicture(search);
    kept.add(search, { instead: back || (around && soonAgain(search)) });
    shown = search;
    searched = formOf(search, true);
    if (around) replaceAround(stage, answer.content);
    else stage.replaceChildren(answer.content);
    find("searching").hidden = true;
    document.dispatchEvent(new Event("lookalike:shown"));
    const title = find("results-title");
    say(title.dataset.news);
    document.title = word("title");
    if (back) scrollTo({ top: kept.place(), behavior: "instant" });
    else if (!around) title.focus({ preventScroll: true });
  }

  // Several small changes of a region in turn are one step of the history.
  function soonAgain(search) {
    const before = marked;
    marked = search.region ? performance.now() : -Infinity;
    return marked - before < SOON;
  }

  function onShown() {
    if (filtered && shown) {
      shown = { ...shown, address: filtered };
      kept.add(shown);
    }
    filtered = null;
    const image = find("asked-photo");
    if (picture && image && !image.getAttribute("src")) image.src = picture.url;
    document.documentElement.classList.toggle("answered", find("results-title") !== null);
  }

  function showProblem(problem, around) {
    if (around) return stage.querySelector(".found")?.prepend(problem);
    forget();
    stage.replaceChildren(problem);
  }

  function failed(around) {
    if (!around) return trouble("unreachable-search");
    const problem = find("unreachable-search").content.cloneNode(true);
    stage.querySelector(".found")?.prepend(problem);
  }

  function trouble(id) {
    stop();
    settle();
    forget();
    stage.replaceChildren(find(id).content.cloneNode(true));
    stage.scrollIntoView({ block: "nearest" });
  }

  function settle() {
    running = null;
    find("searching").hidden = true;
    stage.removeAttribute("aria-busy");
    form.querySelectorAll("input[type=file]").forEach((input) => (input.value = ""));
  }

  function forget() {
    shown = searched = null;
    document.documentElement.classList.remove("answered");
  }

  function makeRoom(small) {
    form.classList.toggle("small", small);
    form.closest(".hero")?.classList.toggle("done", small);
    document.documentElement.classList.toggle("answered", small);
  }

  // ---- from one to another ----

  function stop() {
    running?.abort();
    running = null;
    filtered = null;
  }

  // Before another answer takes the place of this one.
  function leaving() {
    document.dispatchEvent(new Event("lookalike:leaving"));
    kept.leave();
  }

  function cancel() {
    stop();
    settle();
    const search = kept.read();
    if (search) ask(search, { back: true });
    else showStart();
    say(word("cancelled"));
    find("photo").focus();
  }

  function goTo() {
    kept.leave();
    kept.arrive();
    const search = kept.read();
    if (search) return ask(search, { quietly: search.photo === shown?.photo, back: true });
    if (!home) return location.reload();
    stop();
    settle();
    showStart();
  }

  // A link to the address that is shown already: the browser would load it with the search still in it.
  function leadToStart(event) {
    if (!shown) return;
    if (!home) return history.replaceState(null, "");
    event.preventDefault();
    startAnew();
  }

  function startAnew() {
    stop();
    kept.clear();
    if (!home) return location.assign(form.dataset.home);
    leaving();
    history.pushState(null, "", form.dataset.home);
    kept.arrive();
    settle();
    showStart();
    say(word("anew"));
    scrollTo({ top: 0, behavior: "instant" });
    find("photo").focus({ preventScroll: true });
  }

  function showStart() {
    forget();
    stage.replaceChildren();
    makeRoom(false);
    document.title = atStart;
  }
})();
