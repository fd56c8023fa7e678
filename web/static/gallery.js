// Leads through a listing's pictures by buttons, by the small pictures and by the arrow keys. Without
// it they are scrolled sideways, and the small ones are links.
"use strict";

(() => {
  const strip = find("gallery-strip");
  if (!strip) return;
  const pictures = [...strip.children];
  const choices = [...document.querySelectorAll(".choices a")];
  const steps = [...document.querySelectorAll(".gallery-step")];
  const count = find("gallery-count");
  let at = 0;

  steps.forEach((step) => {
    step.hidden = false;
    step.addEventListener("click", () => show(at + Number(step.dataset.step)));
  });
  choices.forEach((choice) =>
    choice.addEventListener("click", (event) => {
      event.preventDefault();
      show(pictures.findIndex((picture) => `#${picture.id}` === choice.hash));
    }),
  );
  strip.addEventListener("keydown", (event) => {
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: pictures.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    show(to);
  });
  const watch = new IntersectionObserver(
    (entries) => {
      const seen = entries.find((entry) => entry.isIntersecting);
      if (seen) mark(pictures.indexOf(seen.target));
    },
    { root: strip, threshold: 0.6 },
  );
  pictures.forEach((picture) => watch.observe(picture));
  count.hidden = false;
  mark(0);

  function show(to) {
    if (to < 0 || to >= pictures.length) return;
    strip.scrollTo({ left: pictures[to].offsetLeft - strip.offsetLeft });
    mark(to);
    say(word("picture", { number: to + 1, count: pictures.length }));
  }

  function mark(to) {
    at = to;
    count.textContent = word("picture", { number: to + 1, count: pictures.length });
    steps.forEach((step) => (step.disabled = !pictures[at + Number(step.dataset.step)]));
    choices.forEach((choice) => {
      if (choice.hash === `#${pictures[at].id}`) choice.setAttribute("aria-current", "true");
      else choice.removeAttribute("aria-current");
    });
  }
})();
