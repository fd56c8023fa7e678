// What every page has: small helpers that the other scripts use, and care for its pictures.
// Everything works without any script; nothing here is needed to search.
"use strict";

const find = (id) => document.getElementById(id);
const FRAGMENT = { "X-Lookalike-Fragment": "1" }; // asks for the part of a page that is shown in place
const storage = storageOrNone(); // of this window
let searched = null; // what was sent for the answer to a photo that is shown: the server keeps none

waitForIndex();
document.addEventListener("error", hideBrokenPicture, true);
document.addEventListener("load", (event) => fillBox(event.target), true);
document.querySelectorAll(".box > img").forEach(fillBox);
document.addEventListener("lookalike:shown", sayLocalTimes);
sayLocalTimes();

function say(text) {
  find("news").textContent = text;
}

// A browser that may not store anything says so by an error.
function storageOrNone() {
  try {
    return sessionStorage;
  } catch {
    return { getItem: () => null, setItem() {}, removeItem() {} };
  }
}

// A button or link that was clicked to act here, and not to open it elsewhere.
function clicked(event, selector) {
  const elsewhere = event.ctrlKey || event.metaKey || event.shiftKey || event.altKey;
  return elsewhere || event.button ? null : event.target.closest?.(selector);
}

// The server writes moments in UTC; here it is known what that is for the reader.
function sayLocalTimes() {
  for (const time of document.querySelectorAll("time[datetime]")) {
    time.textContent = localTime(new Date(time.dateTime));
  }
}

function localTime(moment) {
  const format = { dateStyle: "medium", timeStyle: "short" };
  return moment.toLocaleString(document.documentElement.lang, format);
}

function hideBrokenPicture(event) {
  if (!event.target.matches?.(".box > img")) return;
  const box = event.target.closest(".box");
  box.dataset.none = word("no-picture");
  box.classList.add("broken");
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
