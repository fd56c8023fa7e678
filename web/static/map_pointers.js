// Mouse and fingers on the map: they move it, widen it, and point at a listing.
"use strict";

// pointAt: the listing at a place. mark: says what is pointed at. docked: whether that was said of
// a listing that was tapped or gone to, which stays until another is.
const mapPointers = (canvas, { pointAt, mark, zoom, move, open, docked }) => {
  const held = new Map();
  let moved = 0;
  const middle = () => {
    const [a, b = a] = [...held.values()];
    return { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2, apart: Math.hypot(a.x - b.x, a.y - b.y) };
  };
  canvas.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    if (!held.size) moved = 0;
    held.set(event.pointerId, { x: event.offsetX, y: event.offsetY });
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!held.has(event.pointerId)) {
      const point = event.pointerType === "mouse" && pointAt(event.offsetX, event.offsetY);
      canvas.classList.toggle("on-tile", Boolean(point));
      if (event.pointerType === "mouse") mark(point, false, event.offsetX, event.offsetY);
      return;
    }
    const before = middle();
    held.set(event.pointerId, { x: event.offsetX, y: event.offsetY });
    const after = middle();
    moved += Math.hypot(after.x - before.x, after.y - before.y) + Math.abs(after.apart - before.apart);
    if (moved < 5) return;
    if (!docked()) mark(null, false);
    canvas.classList.add("moving");
    if (held.size > 1 && before.apart) zoom(after.apart / before.apart, after.x, after.y);
    move(after.x - before.x, after.y - before.y);
  });
  const release = (event) => {
    const was = held.delete(event.pointerId);
    canvas.classList.toggle("moving", held.size > 0);
    if (!was || held.size || moved >= 5 || event.type === "pointercancel") return;
    const point = pointAt(event.offsetX, event.offsetY);
    if (event.pointerType !== "mouse") mark(point, true);
    else if (point) open(point);
  };
  canvas.addEventListener("pointerup", release);
  canvas.addEventListener("pointercancel", release);
  canvas.addEventListener("pointerleave", (event) => {
    if (event.pointerType === "mouse" && !docked()) mark(null, false);
  });
};
