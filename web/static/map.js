// The map: draws where the listings lie, moves about on it, and leads to a listing.
// A cell of the map's grid holds at most one listing. Where cells are too small to be seen, squares
// of 2^k by 2^k cells each show one of theirs: the one whose level is at least k.
"use strict";

(() => {
  const get = (id) => document.getElementById("map-" + id);
  const [stage, canvas, card] = [get("stage"), get("canvas"), get("card")];
  const pen = canvas.getContext("2d");
  const LARGEST = 260; // pixels of a cell at the closest

  let map = null;
  let turned = false; // a phone held upright shows the map turned by its diagonal
  let view = { scale: 0, left: 0, top: 0 }; // pixels a cell, and where the map's corner lies
  let size = { width: 1, height: 1 };
  let only = null; // the category that was picked in the legend
  let marked = null; // the listing under the mouse, or gone to by keyboard or finger
  let drawing = false;
  let tiles = null; // draws them

  start();

  async function start() {
    try {
      const answer = await fetch(document.getElementById("map").dataset.points);
      if (!answer.ok) throw new Error(String(answer.status));
      map = await answer.json();
    } catch {
      get("wait").remove();
      stage.replaceWith(get("gone").content.cloneNode(true));
      return;
    }
    const hues = new Map(map.categories.map((one) => [one.name, one.hue]));
    for (const point of map.points) {
      point.column = Math.floor(point.x * map.columns);
      point.row = Math.floor(point.y * map.rows);
      point.hue = hues.get(point.category);
    }
    get("wait").remove();
    get("summary").textContent = word(map.points.length < map.total ? "map.some" : "map.all", { count: map.points.length, total: map.total });
    canvas.setAttribute("aria-label", word("map.label", { count: map.points.length, categories: map.categories.length }));
    writeLegend();
    listen();
    new ResizeObserver(measure).observe(stage);
    tiles = mapTiles(map, pen, redraw);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", tiles.readColours);
    tiles.readColours();
    measure();
    goToAddress();
  }

  // ---- where things are ----

  // Whole squares count: the last ones may reach past the grid.
  const whole = (cells, k) => Math.ceil(cells / 2 ** k) * 2 ** k;
  const across = (k = level()) => whole(turned ? map.rows : map.columns, k);
  const down = (k = level()) => whole(turned ? map.columns : map.rows, k);
  const highest = () => Math.ceil(Math.log2(Math.max(map.columns, map.rows)));
  const level = (scale = view.scale) =>
    Math.min(highest(), Math.max(0, Math.ceil(Math.log2((size.width < 640 ? 34 : 40) / scale))));

  function fitting() {
    let [k, scale] = [-1, 0];
    do scale = Math.min(size.width / across(++k), size.height / down(k));
    while (level(scale) > k);
    return scale;
  }

  function measure() {
    const all = view.scale <= fitting() * 1.001;
    size = { width: stage.clientWidth, height: stage.clientHeight };
    const ratio = window.devicePixelRatio || 1;
    canvas.width = Math.round(size.width * ratio);
    canvas.height = Math.round(size.height * ratio);
    turned = size.height > size.width;
    if (all || view.scale < fitting()) view.scale = fitting();
    keepInside();
    draw(); // at once: a canvas of a new size is empty
  }

  function keepInside() {
    const keep = (at, room, all) => (all <= room ? (room - all) / 2 : Math.min(0, Math.max(room - all, at)));
    view.left = keep(view.left, size.width, across() * view.scale);
    view.top = keep(view.top, size.height, down() * view.scale);
    canvas.classList.toggle("inside", view.scale > fitting() * 1.001);
    get("out").disabled = get("all").disabled = view.scale <= fitting() * 1.001;
    get("in").disabled = view.scale >= LARGEST;
    redraw();
  }

  function zoom(factor, x = size.width / 2, y = size.height / 2) {
    const scale = Math.min(LARGEST, Math.max(fitting(), view.scale * factor));
    const by = scale / view.scale;
    view = { scale, left: x - (x - view.left) * by, top: y - (y - view.top) * by };
    keepInside();
  }

  function move(x, y) {
    view.left += x;
    view.top += y;
    keepInside();
  }

  function tile(point, k) {
    const side = view.scale * 2 ** k;
    const [column, row] = turned ? [point.row, point.column] : [point.column, point.row];
    return { left: view.left + (column >> k) * side, top: view.top + (row >> k) * side, side };
  }

  function shown() {
    const k = level();
    if (only === null) return map.points.filter((point) => point.level >= k);
    // Of the category that was picked, every square shows one if it has one.
    const squares = new Map();
    for (const point of map.points) {
      const square = (point.row >> k) * map.columns + (point.column >> k);
      const other = squares.get(square);
      const picked = point.category === only;
      if (!other || (picked && other.category !== only)) squares.set(square, point);
      else if (picked === (other.category === only) && point.level > other.level) squares.set(square, point);
    }
    return [...squares.values()];
  }

  function pointAt(x, y) {
    const k = level();
    return shown().find((point) => {
      const { left, top, side } = tile(point, k);
      return x >= left && x < left + side && y >= top && y < top + side;
    });
  }

  // ---- drawing ----

  function redraw() {
    if (drawing || !map) return;
    drawing = true;
    requestAnimationFrame(() => {
      drawing = false;
      draw();
    });
  }

  function draw() {
    const ratio = canvas.width / size.width;
    const k = level();
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, size.width, size.height);
    pen.imageSmoothingQuality = "high";
    const visible = shown();
    for (const point of visible) {
      const { left, top, side } = tile(point, k);
      if (left > size.width || top > size.height || left + side < 0 || top + side < 0) continue;
      pen.globalAlpha = only === null || point.category === only ? 1 : 0.12;
      tiles.draw(point, left + 1, top + 1, side - 2, ratio);
    }
    pen.globalAlpha = 1;
    if (visible.includes(marked)) {
      const { left, top, side } = tile(marked, k);
      pen.lineWidth = 3;
      pen.strokeStyle = tiles.accent();
      pen.strokeRect(left, top, side, side);
    }
  }

  // ---- what is said of a listing ----

  function mark(point, docked, x = 0, y = 0) {
    if (point !== marked && point) {
      const picture = get("card-picture");
      picture.hidden = !point.thumbnail_url;
      if (point.thumbnail_url) picture.src = point.thumbnail_url;
      get("card-title").textContent = point.title || point.id;
      get("card-category").textContent = point.category;
      card.href = point.url;
    }
    marked = point || null;
    card.hidden = !point;
    card.classList.toggle("docked", docked);
    card.classList.toggle("high", Boolean(point) && docked && centre(point).y > size.height / 2);
    card.classList.toggle("floating", !docked);
    card.style.left = card.style.top = "";
    if (point && !docked) {
      const beside = (at, own, whole) => (at + 16 + own < whole ? at + 16 : Math.max(4, at - 16 - own));
      card.style.left = `${beside(x, card.offsetWidth, size.width)}px`;
      card.style.top = `${beside(y, card.offsetHeight, size.height)}px`;
    }
    redraw();
  }

  function visit(point) {
    const { left, top, side } = tile(point, level());
    const into = (at, whole) => (at < side / 2 ? side / 2 - at : at + side * 1.5 > whole ? whole - at - side * 1.5 : 0);
    move(into(left, size.width), into(top, size.height));
    mark(point, true);
    get("said").textContent = [point.title || point.id, point.category].filter(Boolean).join(", ");
  }

  function open(point) {
    // Coming back, one finds oneself where one was.
    history.replaceState(null, "", "#at=" + encodeURIComponent(point.id));
    location.assign(point.url);
  }

  function goToAddress() {
    const asked = /^#at=(.+)/.exec(location.hash);
    const id = asked && decodeURIComponent(asked[1]);
    const point = map.points.find((one) => one.id === id);
    if (!point) return;
    view.scale = Math.min(LARGEST, Math.max(fitting(), 72));
    const { left, top, side } = tile(point, level());
    move((size.width - side) / 2 - left, (size.height - side) / 2 - top);
    visit(point);
  }

  // ---- legend ----

  function writeLegend() {
    for (const one of map.categories) {
      const [item, button] = [document.createElement("li"), document.createElement("button")];
      const [swatch, count] = [document.createElement("span"), document.createElement("span")];
      swatch.className = `swatch hue-${one.hue ?? "other"}`;
      count.className = "count";
      count.textContent = one.count.toLocaleString(document.documentElement.lang);
      button.type = "button";
      button.setAttribute("aria-pressed", "false");
      button.append(swatch, one.name || word("map.none"), " ", count);
      button.addEventListener("click", () => pick(button, one.name));
      item.append(button);
      get("legend").append(item);
    }
  }

  function pick(button, name) {
    only = only === name ? null : name;
    for (const other of get("legend").querySelectorAll("button")) {
      other.setAttribute("aria-pressed", String(other === button && only !== null));
    }
    redraw();
  }

  // ---- mouse, fingers, keys ----

  function listen() {
    get("in").addEventListener("click", () => zoom(1.6));
    get("out").addEventListener("click", () => zoom(1 / 1.6));
    get("all").addEventListener("click", () => zoom(0));
    canvas.addEventListener("wheel", onWheel, { passive: false });
    canvas.addEventListener("keydown", onKey);
    mapPointers(canvas, { pointAt, mark, zoom, move, open, docked: () => card.classList.contains("docked") });
  }

  function onWheel(event) {
    // All of the map is seen: whoever scrolls on wants to see the rest of the page.
    if (event.deltaY > 0 && view.scale <= fitting() * 1.001) return;
    event.preventDefault();
    const lines = event.deltaMode === 1 ? 16 : 1;
    zoom(Math.exp(-event.deltaY * lines * 0.002), event.offsetX, event.offsetY);
    mark(null, false);
  }

  function onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { x, y } = marked ? centre(marked) : { x: size.width / 2, y: size.height / 2 };
    const does = {
      ArrowLeft: () => step(-1, 0),
      ArrowRight: () => step(1, 0),
      ArrowUp: () => step(0, -1),
      ArrowDown: () => step(0, 1),
      "+": () => zoom(1.6, x, y),
      "=": () => zoom(1.6, x, y),
      "-": () => zoom(1 / 1.6, x, y),
      Home: () => zoom(0),
      Enter: () => marked && open(marked),
      Escape: () => mark(null, true),
    }[event.key];
    if (!does) return;
    event.preventDefault();
    does();
  }

  function centre(point) {
    const { left, top, side } = tile(point, level());
    return { x: left + side / 2, y: top + side / 2 };
  }

  function step(right, below) {
    const visible = shown();
    const here = marked ? centre(marked) : { x: size.width / 2, y: size.height / 2 };
    let [best, least] = [null, Infinity];
    for (const point of visible) {
      if (point === marked) continue;
      const { x, y } = centre(point);
      const ahead = (x - here.x) * right + (y - here.y) * below;
      const aside = Math.abs((x - here.x) * below) + Math.abs((y - here.y) * right);
      const far = marked ? ahead + 3 * aside : Math.hypot(x - here.x, y - here.y);
      if ((ahead > 1 || !marked) && far < least) [best, least] = [point, far];
    }
    if (best) visit(best);
  }
})();
