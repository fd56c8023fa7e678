// A catalogue is sent in pieces, then planned, and done when that was seen.
"use strict";

(() => {
  const place = find("upload");
  const input = find("upload-file");
  const piece = Number(place.dataset.piece);
  const BUSY = ["receiving", "received", "running"];
  const ACTIONS = { planned: ["sync"], running: ["stop"], stopped: ["sync"] };
  let job = null;
  let timer = null;

  const address = (id, work = "") => `${place.dataset.begin}/${id}${work && `/${work}`}`;

  input.addEventListener("change", () => {
    const [file] = input.files;
    input.value = "";
    if (file) send(file);
  });
  for (const button of place.querySelectorAll("[data-work]")) {
    button.addEventListener("click", () => start(button.dataset.work));
  }
  const latest = JSON.parse(find("upload-latest").textContent);
  if (latest) {
    show(latest);
    if (latest.state === "running") follow();
  }

  async function ask(method, url, options = {}) {
    const answer = await fetch(url, { method, ...options });
    const said = await answer.json().catch(() => ({}));
    if (!answer.ok) {
      const { code = "", message = word("admin.refused"), hint = "" } = said.error ?? {};
      throw Object.assign(new Error(message), { code, hint });
    }
    return said;
  }

  async function send(file) {
    clearTimeout(timer);
    find("job-name").textContent = file.name;
    try {
      const headers = { "Content-Type": "application/json" };
      const body = JSON.stringify({ name: file.name, size: file.size, encoding: find("upload-encoding").value });
      show(await begun({ headers, body }));
      for (let at = 0; at < file.size; at += piece) {
        const part = file.slice(at, at + piece);
        const type = { "Content-Type": "application/octet-stream" };
        show(await ask("PUT", `${address(job.id)}?at=${at}`, { headers: type, body: part }));
      }
      await start("plan");
    } catch (error) {
      tell(error);
    }
  }

  // The one before has said how it ended, and its process may take a moment more to be gone.
  async function begun(options) {
    for (let left = job && !BUSY.includes(job.state) ? 20 : 0; ; left--) {
      try {
        return await ask("POST", place.dataset.begin, options);
      } catch (error) {
        if (error.code !== "index_busy" || left < 1) throw error;
        await new Promise((resolve) => setTimeout(resolve, 500));
      }
    }
  }

  async function start(work) {
    try {
      const said = await ask("POST", address(job.id, work));
      show(said);
      follow();
    } catch (error) {
      tell(error);
    }
  }

  function follow() {
    clearTimeout(timer);
    timer = setTimeout(async () => {
      try {
        show(await ask("GET", address(job.id), { cache: "no-store" }));
      } catch {
        // The server is being restarted, perhaps: the next look will tell.
      }
      if (BUSY.includes(job.state)) follow();
    }, 500);
  }

  function show(said) {
    job = said;
    find("job").hidden = false;
    const bar = find("job-bar");
    const [done, total] = said.state === "receiving" ? [said.received, said.size] : [said.done, said.total];
    bar.hidden = !BUSY.includes(said.state);
    if (total) bar.value = Math.min(1, done / total);
    else bar.removeAttribute("value");
    const words = word(`admin.${said.state}`);
    if (find("job-said").textContent !== words) find("job-said").textContent = words;
    find("job-detail").textContent = detail(said);
    const lacking = said.report && said.work === "plan" && tooMany(said.report.plan);
    for (const button of place.querySelectorAll("[data-work]")) {
      // What could be planned may be tried again; what could not be read would fail once more.
      const again = said.state === "failed" && said.work !== "plan" ? [said.work] : [];
      const offered = ACTIONS[said.state] ?? again;
      const wanted = lacking && offered.includes("sync") ? ["sync-with-removals"] : offered;
      button.hidden = !wanted.includes(button.dataset.work);
    }
  }

  function tooMany(plan) {
    const before = plan.removed + plan.changed + plan.unchanged;
    return plan.removed > before / 5;
  }

  function detail(said) {
    if (said.error) return [said.error.message, said.error.hint].filter(Boolean).join(" ");
    if (said.report) {
      const lines = [word("admin.plan", said.report.plan)];
      if (said.state === "done" && said.report.failures) lines.push(word("admin.rejected", { count: said.report.failures }));
      if (said.line) lines.push(said.line);
      return lines.join("\n");
    }
    if (said.state !== "running" || said.done === undefined) return said.line ?? "";
    const unit = said.what ? `${said.what}: ` : "";
    const parts = [word(said.total ? "admin.of" : "admin.so-far", said)];
    if (said.rate) parts.push(word("admin.rate", said));
    if (said.rate && said.total) {
      const seconds = Math.round((said.total - said.done) / said.rate);
      parts.push(seconds < 120 ? word("admin.left", { seconds }) : word("admin.minutes-left", { minutes: Math.round(seconds / 60) }));
    }
    return unit + parts.join(", ");
  }

  function tell(error) {
    clearTimeout(timer);
    find("job").hidden = false;
    find("job-bar").hidden = true;
    find("job-said").textContent = error.message;
    find("job-detail").textContent = error.hint;
    for (const button of place.querySelectorAll("[data-work]")) button.hidden = true;
  }
})();
