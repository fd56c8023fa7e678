// What scripts say: web/pages/words.py has it, in the reader's language.
"use strict";

const words = JSON.parse(document.getElementById("words").textContent);

// The phrase of a name, with values in the place of what stands in braces; `count` chooses between
// a singular and a plural.
function word(name, values = {}) {
  let said = words[name];
  if (Array.isArray(said)) said = said[isOne(values.count) ? 0 : 1];
  return said.replace(/\{(\w+)\}/g, (whole, key) => {
    const value = values[key];
    if (typeof value === "number") return value.toLocaleString(document.documentElement.lang);
    return value ?? whole;
  });
}

function isOne(count) {
  return new Intl.PluralRules(document.documentElement.lang).select(count) === "one";
}
