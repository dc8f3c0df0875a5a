// Keys, and drafts that outlive a closed tab. Everything else is done by the server and by htmx.
"use strict";

(() => {
  const AFTER_COMPOSITION_MS = 100; // WebKit ends a composition before the key that ended it.
  let composed = -Infinity;

  addEventListener("compositionend", () => (composed = performance.now()), true);

  const typesWords = (element) => element.closest?.("input, textarea, select, [contenteditable]") !== null;

  const composes = (event) =>
    event.isComposing || event.keyCode === 229 || performance.now() - composed < AFTER_COMPOSITION_MS;

  // ---- What is no page of the desk, such as a gateway's word that the desk is away, takes no part's place ---------

  addEventListener("htmx:before:response", (event) => {
    const { status, headers } = event.detail.ctx.response;
    if (status >= 400 && !headers.get("content-type")?.startsWith("text/html")) event.preventDefault();
  });

  // ---- Keys: j and k move, Enter opens, a accepts, d declines ---------------------------------------------------

  const rows = () => [...document.querySelectorAll("[data-row]")];
  const present = () => document.querySelector("[data-row].at");

  function move(by) {
    const all = rows();
    const next = all[Math.min(Math.max(all.indexOf(present()) + by, 0), all.length - 1)];
    if (next === undefined) return;
    present()?.classList.remove("at");
    next.classList.add("at");
    next.querySelector(".summary a").focus({ preventScroll: true });
    next.scrollIntoView({ block: "nearest" });
  }

  const press = (name) => present()?.querySelector(`[data-key="${name}"]`)?.click();
  const KEYS = { j: () => move(1), k: () => move(-1), a: () => press("a"), d: () => press("d") };

  addEventListener("keydown", (event) => {
    if (document.body.dataset.keys === "off" || composes(event) || typesWords(event.target)) return;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const act = KEYS[event.key];
    if (act === undefined) return;
    event.preventDefault();
    act();
  });

  // ---- Drafts: what is typed into a step is kept until it was sent ----------------------------------------------

  const PREFIX = "liaison.draft/";
  const form = document.querySelector("[data-draft]");
  const name = form && PREFIX + form.dataset.draft;

  function restore() {
    const kept = JSON.parse(localStorage.getItem(name) ?? "{}");
    for (const [field, value] of Object.entries(kept)) {
      const input = form.elements[field];
      if (input instanceof HTMLElement && input.value === "") input.value = value;
    }
  }

  function keep() {
    const typed = {};
    for (const input of form.querySelectorAll("textarea, input:not([type=hidden], [type=radio])")) {
      if (input.value !== "") typed[input.name] = input.value;
    }
    localStorage.setItem(name, JSON.stringify(typed));
  }

  try {
    if (form) {
      restore();
      form.addEventListener("input", keep);
    }
    const done = document.getElementById("done");
    if (done) {
      const matter = location.pathname.split("/").pop();
      const step = new URLSearchParams(location.search).get("done");
      localStorage.removeItem(`${PREFIX}${matter}/${step}`);
    }
  } catch {
    // A browser without storage keeps no drafts; the form works all the same.
  }
})();
