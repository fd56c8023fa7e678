// The map's tiles: a listing's small picture from a sheet of many, its own where it is seen large.
"use strict";

// map: what the server says of the map. pen: of the canvas. redraw: is called when more has come.
const mapTiles = (map, pen, redraw) => {
  const PICTURES_KEPT = 400;
  const sheets = new Map();
  const pictures = new Map();
  let [colours, accent, empty] = [[], "", ""];

  function readColours() {
    const style = getComputedStyle(document.documentElement);
    const read = (name) => style.getPropertyValue(name).trim();
    const hues = Number(document.getElementById("map").dataset.hues);
    colours = Array.from({ length: hues }, (_, n) => read(`--hue-${n}`));
    accent = read("--accent");
    empty = read("--line");
    redraw();
  }

  function draw(point, left, top, side, ratio) {
    const large = side * ratio > map.sheet_tile * 1.4 && pictureOf(point);
    const sheet = sheetOf(point.sheet);
    if (large) {
      const square = Math.min(large.naturalWidth, large.naturalHeight);
      const [x, y] = [(large.naturalWidth - square) / 2, (large.naturalHeight - square) / 2];
      pen.drawImage(large, x, y, square, square, left, top, side, side);
    } else if (sheet) {
      const x = (point.slot % map.sheet_side) * map.sheet_tile;
      const y = Math.floor(point.slot / map.sheet_side) * map.sheet_tile;
      pen.drawImage(sheet, x, y, map.sheet_tile, map.sheet_tile, left, top, side, side);
    } else {
      pen.fillStyle = empty;
      pen.fillRect(left, top, side, side);
    }
    if (point.hue === null) return;
    const strip = Math.min(5, Math.max(2, side / 16));
    pen.fillStyle = colours[point.hue];
    pen.fillRect(left, top + side - strip, side, strip);
  }

  function sheetOf(number) {
    if (!sheets.has(number)) sheets.set(number, load(map.sheets[number]));
    return ready(sheets.get(number));
  }

  function pictureOf(point) {
    if (!point.thumbnail_url) return null;
    const known = pictures.get(point.id);
    pictures.delete(point.id); // and put it last: the first are forgotten first
    pictures.set(point.id, known || load(point.thumbnail_url));
    if (pictures.size > PICTURES_KEPT) pictures.delete(pictures.keys().next().value);
    return ready(pictures.get(point.id));
  }

  function load(url) {
    const image = new Image();
    image.onload = redraw;
    image.src = url;
    return image;
  }

  const ready = (image) => (image.complete && image.naturalWidth ? image : null);

  return { draw, readColours, accent: () => accent };
};
