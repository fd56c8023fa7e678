// How an answer to a photo is put on the page: the size of the photo, and what is around it.
"use strict";

const SHOWN_SIDE = 288; // as web/pages/asked.py has it

// Returns the width and height in which a photo is shown.
function shownSize(size) {
  return size.map((side) => Math.max(1, Math.round((side * SHOWN_SIDE) / Math.max(...size))));
}

// Puts another answer around the photo, which stays as it is, with its box and the focus on it.
function replaceAround(stage, answer) {
  let here = find("asked");
  let there = answer.querySelector("#asked");
  while (here !== stage && there !== answer) {
    while (here.previousSibling) here.previousSibling.remove();
    while (here.nextSibling) here.nextSibling.remove();
    while (there.previousSibling) here.before(there.parentNode.firstChild);
    while (there.nextSibling) here.parentNode.append(there.nextSibling);
    here = here.parentNode;
    there = there.parentNode;
  }
}
