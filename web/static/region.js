// The box around the part of a photo that matters: drawn, moved and resized by pointer or keys. What
// was marked is searched with a moment later (search.js); the photo stays, the answer changes around it.
"use strict";

(() => {
  const LEAST_PIXELS = 24;
  const STEP = 0.02;
  const WAIT = 350; // milliseconds after the last change
  const FIRST = [0.15, 0.15, 0.7, 0.7];
  const KEYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  let part = null; // x, y, width, height as shares of the photo; null for the whole
  let drag = null; // {pointer, sides, at, from}: from where on a box is changed, and what it was
  let timer = 0;
  let suggested = null;

  document.addEventListener("lookalike:shown", attach);
  attach();

  function attach() {
    const frame = find("frame");
    if (!frame || find("asked-photo").tagName !== "IMG") return;
    // A photo that is only being marked keeps its box: an answer is not about the newest one, perhaps.
    if (!drag && !timer) show(given());
    if (frame.dataset.live) return;
    frame.dataset.live = "yes";
    frame.addEventListener("pointerdown", begin);
    frame.addEventListener("pointermove", move);
    frame.addEventListener("pointerup", end);
    frame.addEventListener("pointercancel", giveUp);
    find("region").addEventListener("keydown", press);
    find("region-mark").addEventListener("click", () => mark(FIRST));
    find("region-suggest").addEventListener("click", () => mark(suggested));
    find("region-whole").addEventListener("click", whole);
    const image = find("asked-photo");
    if (image.complete) suggest();
    else image.addEventListener("load", suggest, { once: true });
  }

  function given() {
    const text = searched ? searched.get("region") : find("asked").dataset.region;
    return text ? text.split(",").map(Number) : null;
  }

  function suggest() {
    const image = find("asked-photo");
    suggested = image?.naturalWidth ? standsOut(image) : null;
    find("region-suggest").hidden = !suggested || part !== null;
  }

  // ---- by pointer ----

  function begin(event) {
    if (!event.isPrimary || event.button) return;
    const sides = event.target.dataset.sides ?? (event.target.id === "region" ? "all" : "new");
    drag = { pointer: event.pointerId, sides, at: placeOf(event), from: part };
    find("frame").setPointerCapture(event.pointerId);
    if (event.pointerType === "mouse") event.preventDefault();
    clearTimeout(timer);
  }

  function move(event) {
    if (event.pointerId !== drag?.pointer) return;
    const [x, y] = placeOf(event);
    const [left, top] = drag.at;
    if (drag.sides === "all") show(moved(drag.from, x - left, y - top));
    else if (drag.sides !== "new") show(resized(drag.from, drag.sides, x - left, y - top));
    else if (large(x - left, y - top)) show(between(drag.at, [x, y]));
  }

  function end(event) {
    if (event.pointerId !== drag?.pointer) return;
    const changed = part !== drag.from;
    drag = null;
    if (!changed) return;
    find("region").focus({ preventScroll: true });
    ask();
  }

  // The browser has made a scroll of it.
  function giveUp(event) {
    if (event.pointerId !== drag?.pointer) return;
    const { from } = drag;
    drag = null;
    show(from);
  }

  function placeOf(event) {
    const box = find("frame").getBoundingClientRect();
    return [
      clamp((event.clientX - box.left) / box.width, 0, 1),
      clamp((event.clientY - box.top) / box.height, 0, 1),
    ];
  }

  // ---- by keys and buttons ----

  function press(event) {
    if (event.key === "Escape") {
      event.preventDefault();
      event.stopPropagation();
      return whole();
    }
    const way = KEYS[event.key];
    if (!way || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    const [x, y] = way.map((one) => one * STEP);
    show(event.shiftKey ? resized(part, "se", x, y) : moved(part, x, y));
    const [left, top, width, height] = part.map((share) => Math.round(100 * share));
    say(word("region.marked", { left, top, right: left + width, bottom: top + height }));
    ask();
  }

  function mark(box) {
    show(box);
    find("region").focus({ preventScroll: true });
    ask();
  }

  function whole() {
    show(null);
    find("region-mark").focus({ preventScroll: true });
    say(word("region.whole"));
    ask();
  }

  function ask() {
    clearTimeout(timer);
    timer = setTimeout(() => {
      timer = 0;
      if (!drag) searching.region(part);
    }, WAIT);
  }

  // ---- boxes ----

  function least() {
    const { clientWidth, clientHeight } = find("frame");
    return [LEAST_PIXELS / clientWidth, LEAST_PIXELS / clientHeight];
  }

  function large(width, height) {
    const [wide, high] = least();
    return Math.abs(width) >= wide && Math.abs(height) >= high;
  }

  function between([x0, y0], [x1, y1]) {
    return [Math.min(x0, x1), Math.min(y0, y1), Math.abs(x1 - x0), Math.abs(y1 - y0)];
  }

  function moved([x, y, width, height], right, down) {
    return [clamp(x + right, 0, 1 - width), clamp(y + down, 0, 1 - height), width, height];
  }

  function resized([x, y, width, height], sides, right, down) {
    const [wide, high] = least();
    let [x0, y0, x1, y1] = [x, y, x + width, y + height];
    if (sides.includes("w")) x0 = clamp(x0 + right, 0, x1 - wide);
    if (sides.includes("e")) x1 = clamp(x1 + right, x0 + wide, 1);
    if (sides.includes("n")) y0 = clamp(y0 + down, 0, y1 - high);
    if (sides.includes("s")) y1 = clamp(y1 + down, y0 + high, 1);
    return [x0, y0, x1 - x0, y1 - y0];
  }

  function clamp(value, low, high) {
    return Math.min(Math.max(value, low), high);
  }

  // ---- showing it ----

  function show(box) {
    part = box;
    const shade = find("frame-shade");
    shade.toggleAttribute("hidden", !box);
    find("region").hidden = !box;
    find("region-mark").hidden = Boolean(box);
    find("region-whole").hidden = !box;
    find("region-suggest").hidden = Boolean(box) || !suggested;
    find("region-hint").textContent = word(box ? "region.change" : "region.draw");
    if (!box) return;
    const [x, y, width, height] = box;
    shade.querySelector("path").setAttribute("d", `M0 0H1V1H0ZM${x} ${y}h${width}v${height}h${-width}Z`);
    Object.entries({ x, y, width, height }).forEach(([name, value]) =>
      shade.querySelector("rect").setAttribute(name, value),
    );
    Object.assign(find("region").style, {
      left: `${100 * x}%`,
      top: `${100 * y}%`,
      width: `${100 * width}%`,
      height: `${100 * height}%`,
    });
  }
})();
