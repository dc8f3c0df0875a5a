// Keeps the live page up to date: takes rendered regions from a stream of events, or by polling the page itself
// when no stream is to be had. Everything it shows was rendered by the server; without it the page is a snapshot.
"use strict";

(() => {
  const SILENCE_MS = 40_000; // The server says something at least every 15 s.
  const POLL_MS = 10_000;
  const STREAM_AGAIN_MS = 60_000;
  const HEALTH_MS = 10_000;
  const NEWS_MS = 5_000;

  const byId = (id) => document.getElementById(id);
  const strip = byId("stream");
  const words = strip.dataset;
  const regions = new Map(
    [...document.querySelectorAll("[data-region]")].map((element) => [element.dataset.region, element]),
  );
  const calm = matchMedia("(prefers-reduced-motion: reduce)");

  // ---- What is shown -------------------------------------------------------------------------------------------

  // Changes only the rows that differ, so that a reader's place, selection and focus stay where they are.
  function settle(region, fresh) {
    const known = new Map([...region.children].map((row) => [row.dataset.key, row]));
    const added = [];
    let place = region.firstElementChild;
    for (const row of [...fresh.children]) {
      const old = known.get(row.dataset.key);
      known.delete(row.dataset.key);
      if (old === undefined) added.push(row);
      if (old !== undefined && old.isEqualNode(row)) {
        if (old === place) place = place.nextElementSibling;
        else region.insertBefore(old, place);
      } else {
        if (old !== undefined && old === place) place = place.nextElementSibling;
        old?.remove();
        region.insertBefore(row, place);
      }
    }
    for (const row of known.values()) row.remove();
    return added;
  }

  function fragment(html) {
    const template = document.createElement("template");
    template.innerHTML = html;
    return template.content;
  }

  function show(news) {
    for (const [name, html] of Object.entries(news)) {
      const region = regions.get(name);
      if (region === undefined) continue;
      const fresh = fragment(html);
      if (fresh.firstElementChild?.dataset.key === undefined) {
        region.replaceChildren(fresh);
      } else {
        const added = settle(region, fresh);
        if (name === "arrivals") welcome(added, region);
      }
    }
  }

  // ---- News for eyes and ears ----------------------------------------------------------------------------------

  const TURNING = /[\u202a-\u202e\u2066-\u2069]/gu;
  let unread = [];
  let nextNews = 0;

  function welcome(rows, region) {
    byId("first").hidden = region.querySelector("[data-summary]") !== null;
    const arrived = rows.filter((row) => row.dataset.summary !== undefined);
    if (!calm.matches) {
      for (const row of arrived) {
        row.animate([{ backgroundColor: "rgb(47 143 128 / 22%)" }, { backgroundColor: "transparent" }], 2_500);
      }
    }
    unread = arrived.concat(unread).slice(0, 100);
    if (unread.length > 0 && nextNews === 0) nextNews = setTimeout(announce, NEWS_MS);
  }

  function announce() {
    const pattern = unread.length === 1 ? words.oneNew : words.manyNew;
    byId("news").textContent = pattern
      .replace("{count}", String(unread.length))
      // The sentence around it is ours: a stranger's words turn nothing of it round.
      .replace("{summary}", () => `\u2068${unread[0].dataset.summary.replace(TURNING, "")}\u2069`);
    unread = [];
    nextNews = 0;
  }

  // ---- Where the news come from --------------------------------------------------------------------------------

  let source = null;
  let silence = 0;
  let again = 0;
  let held = null; // What came while paused: each region's latest.

  function say(state) {
    const shown = held === null ? state : "paused";
    strip.dataset.state = shown;
    if (byId("stand").textContent !== words[shown]) byId("stand").textContent = words[shown];
    strip.dataset.real = state;
  }

  function take(news) {
    if (held === null) show(news);
    else Object.assign(held, news);
  }

  // What this window was told itself goes to the others too.
  function spread(news) {
    Object.assign(whole, news);
    channel?.postMessage({ news });
    take(news);
  }

  function alive() {
    say("live");
    clearTimeout(silence);
    silence = setTimeout(open, SILENCE_MS);
  }

  function close() {
    clearTimeout(silence);
    clearTimeout(again);
    source?.close();
    source = null;
  }

  function open() {
    close();
    if (strip.dataset.real === undefined) say("connecting");
    source = new EventSource(words.address);
    source.addEventListener("snapshot", (message) => {
      alive();
      spread(JSON.parse(message.data));
    });
    source.addEventListener("heartbeat", () => {
      alive();
      channel?.postMessage({ news: {} });
    });
    source.onopen = alive;
    source.onerror = () => {
      if (source.readyState === EventSource.CLOSED) poll(Date.now() + STREAM_AGAIN_MS);
      else say("lost"); // The browser tries again by itself.
    };
  }

  // The stream was refused (too many are open): the page itself is asked instead, and the stream again in a minute.
  async function poll(until) {
    close();
    try {
      const answer = await fetch(location.href, { headers: { accept: "text/html" } });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = [...page.querySelectorAll("[data-region]")];
      // Who is not signed in any more is sent to the form.
      if (answer.status === 401 || answer.redirected) return location.reload();
      if (fresh.length === 0) throw new TypeError("no page of ours");
      spread(Object.fromEntries(fresh.map((region) => [region.dataset.region, region.innerHTML])));
      say("polling");
    } catch {
      say("lost");
    }
    again = setTimeout(() => (Date.now() < until ? poll(until) : open()), POLL_MS);
  }

  // ---- One stream for all windows of a browser ------------------------------------------------------------------

  // The window that holds the lock has the stream and passes on what it is told. Without both interfaces, and where
  // the holder falls silent, a window opens a stream of its own.
  const channel = navigator.locks && window.BroadcastChannel ? new BroadcastChannel(words.address) : null;
  const whole = {}; // Each region as it was last told, for a window that joins.
  let joined = false;
  let turn = null;
  let release = null;

  function join() {
    if (joined) return;
    joined = true;
    if (channel === null) return open();
    say("connecting");
    turn = new AbortController();
    const hold = () =>
      new Promise((resolve) => {
        release = resolve;
        open();
      });
    navigator.locks.request(words.address, { signal: turn.signal }, hold).catch(() => {});
    channel.postMessage({ joins: true });
    silence = setTimeout(open, SILENCE_MS);
  }

  function leave() {
    joined = false;
    close();
    turn?.abort();
    release?.();
    turn = release = null;
  }

  if (channel !== null) {
    channel.onmessage = ({ data }) => {
      if (data.joins && source !== null) channel.postMessage({ news: whole });
      if (!data.news || !joined || source !== null) return;
      clearTimeout(again);
      alive();
      take(data.news);
    };
  }

  // A page that nobody looks at holds no stream.
  let leaving = 0;
  document.addEventListener("visibilitychange", () => {
    clearTimeout(leaving);
    if (document.hidden) leaving = setTimeout(leave, SILENCE_MS);
    else join();
  });
  addEventListener("pagehide", leave);
  addEventListener("pageshow", (event) => event.persisted && join());

  byId("pause").addEventListener("click", () => {
    const kept = held;
    held = kept === null ? {} : null;
    byId("pause").textContent = kept === null ? words.resume : words.pause;
    if (kept !== null) show(kept);
    say(strip.dataset.real);
  });

  // ---- The whole stack's health --------------------------------------------------------------------------------

  async function examine() {
    try {
      const answer = await fetch("/readyz");
      const { parts } = await answer.json();
      if (parts) showHealth(parts);
    } catch {
      // The stream's own state already says that nobody answers.
    }
    setTimeout(examine, HEALTH_MS);
  }

  function showHealth(parts) {
    const stack = byId("stack");
    for (const row of stack.children) {
      const ready = Boolean(parts[row.dataset.part]?.ready);
      row.className = ready ? "well" : "ill";
      row.lastElementChild.textContent = ready ? stack.dataset.ready : stack.dataset.away;
    }
    stack.hidden = false;
    const well = Object.values(parts).every((part) => part.ready);
    byId("stack-ill").hidden = well;
    regions.get("health").hidden = !well;
  }

  // ---- Copying the first command -------------------------------------------------------------------------------

  function offerCopying() {
    for (const button of document.querySelectorAll("[data-copy]")) button.hidden = !navigator.clipboard;
  }

  document.addEventListener("click", async (event) => {
    const button = event.target.closest?.("[data-copy]");
    if (!button) return;
    await navigator.clipboard.writeText(byId(button.dataset.copy).textContent);
    byId("news").textContent = button.textContent = words.copied;
  });

  strip.hidden = false;
  offerCopying();
  join();
  examine();
})();
