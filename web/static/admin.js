// The figures of the administration page go on by themselves, and the last five minutes are drawn.
"use strict";

Object.assign(words, JSON.parse(document.getElementById("admin-words").textContent));

(() => {
  const EVERY = 5000;
  const KEPT = 60;
  const [WIDTH, HEIGHT] = [150, 32];
  const place = find("admin");
  const seen = []; // the last figures, oldest first
  const number = (value) => value.toLocaleString(document.documentElement.lang);
  const short = (value) => (value === null ? "–" : `${Number(value.toPrecision(3))} ms`);

  // Of histograms, only what came between two looks is of these five seconds.
  function between(before, after) {
    const counts = after.buckets.map(([bound, count], n) => [bound, count - (before.buckets[n]?.[1] ?? 0)]);
    return { median: quantile(counts, 0.5), high: quantile(counts, 0.95) };
  }

  function quantile(buckets, share) {
    const all = buckets.at(-1)?.[1];
    if (!all) return null;
    let [lower, below] = [0, 0];
    for (const [bound, count] of buckets) {
      if (count >= share * all && count > below) {
        if (bound === null) return 1000 * lower;
        return 1000 * (lower + ((bound - lower) * (share * all - below)) / (count - below));
      }
      [lower, below] = [bound, count];
    }
    return 1000 * lower;
  }

  function show(figures) {
    for (const step of figures.steps) {
      const row = place.querySelector(`[data-step="${step.name}"]`);
      row.querySelector('[data-show="count"]').textContent = number(step.count);
      for (const name of ["p50", "p95", "p99"]) {
        row.querySelector(`[data-show="${name}"]`).textContent = short(step[name]);
      }
      draw(row.querySelector(".spark"), step);
    }
    for (const [name, count] of Object.entries(figures.answers)) {
      const shown = place.querySelector(`[data-answers="${name}"]`);
      if (shown) shown.textContent = number(count);
    }
  }

  function draw(spark, step) {
    const steps = seen.map((figures) => figures.steps.find((one) => one.name === step.name));
    const points = steps.slice(1).map((one, n) => between(steps[n], one));
    const top = Math.max(...points.map((point) => point.high ?? 0), 1e-9);
    const line = (name) => {
      let path = "";
      let drawing = false;
      points.forEach((point, n) => {
        if (point[name] === null) return (drawing = false);
        const x = (WIDTH * (n + KEPT - points.length)) / (KEPT - 1);
        const y = HEIGHT - 2 - ((HEIGHT - 4) * point[name]) / top;
        path += `${drawing ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}${drawing ? "" : "h.1"}`;
        drawing = true;
      });
      return path;
    };
    spark.querySelector(".spark-high").setAttribute("d", line("high"));
    spark.querySelector(".spark-median").setAttribute("d", line("median"));
    const last = points.at(-1);
    const said = last && last.median !== null
      ? word("admin.chart", { name: step.label, median: number(Number(last.median.toPrecision(3))), high: number(Number(last.high.toPrecision(3))) })
      : word("admin.quiet", { name: step.label });
    spark.setAttribute("aria-label", said);
  }

  async function look() {
    try {
      const answer = await fetch(place.dataset.figures, { cache: "no-store" });
      if (!answer.ok) return;
      seen.push(await answer.json());
      if (seen.length > KEPT + 1) seen.shift();
      show(seen.at(-1));
    } catch {
      // The server is being restarted, perhaps: the next look will tell.
    }
  }

  look();
  setInterval(() => document.hidden || look(), EVERY);
})();
