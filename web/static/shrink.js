// Makes a photo smaller before it travels: a phone's has 12 megapixels, and the network looks at 299
// pixels a side. The photo is turned upright on the way, and what is transparent becomes white, as on
// the server. What the browser cannot decode (HEIC, often) travels whole.
"use strict";

const MOST_SIDE = 1024; // as web/pages/asked.py has it

// Returns what to send, and its width and height; those are null where the browser cannot tell.
async function shrunk(file) {
  let picture;
  try {
    picture = await createImageBitmap(file, { imageOrientation: "from-image" });
  } catch {
    return { photo: file, size: null };
  }
  const factor = Math.min(1, MOST_SIDE / Math.max(picture.width, picture.height));
  const size = [picture.width, picture.height].map((side) => Math.max(1, Math.round(side * factor)));
  const small = await drawnAs(picture, size);
  picture.close();
  // A picture that is small already is not made worse for nothing.
  return { photo: small && small.size < file.size ? small : file, size };
}

function drawnAs(picture, [width, height]) {
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width, height });
  const pen = canvas.getContext("2d");
  pen.fillStyle = "#fff";
  pen.fillRect(0, 0, width, height);
  pen.imageSmoothingQuality = "high";
  pen.drawImage(picture, 0, 0, width, height);
  return new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", 0.9));
}
