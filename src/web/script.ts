import { SORT } from "../report/html_sort.ts";
import { MOST_LINES } from "./log_follower.ts";

/**
 * What runs in the browser. Pages are whole without it; it keeps them true: news replace the parts of the
 * page that are other than before, and nothing else, so that focus, unfolded parts and marks stay.
 */
export const SCRIPT = String.raw`"use strict";
(() => {
  const body = document.body, status = document.getElementById("live");
  const ahead = Number(body.dataset.now) - Date.now();
  const say = (text, kind) => { if (status.textContent !== text) status.textContent = text; status.className = kind; };

  const two = (n) => String(n).padStart(2, "0");
  const lasting = (ms) => {
    const s = Math.max(0, Math.floor(ms / 1000));
    if (s < 60) return s + "s";
    if (s < 3600) return Math.floor(s / 60) + "m " + two(s % 60) + "s";
    const m = Math.floor(s / 60);
    return m < 1440 ? Math.floor(m / 60) + "h " + two(m % 60) + "m" : Math.floor(m / 1440) + "d " + two(Math.floor(m / 60) % 24) + "h";
  };
  const tick = () => {
    for (const each of document.querySelectorAll("[data-since]")) {
      each.textContent = lasting(Date.now() + ahead - Number(each.dataset.since));
    }
  };

  // The old element becomes as the new one; what is equal is not touched.
  // What has a part of its own is left to that.
  const morph = (old, fresh, isPart) => {
    if (!isPart && fresh.dataset?.own !== undefined && old.id === fresh.id) return;
    if (old.nodeType === 1 && old.dataset.since !== undefined && old.dataset.since === fresh.dataset?.since) return;
    if (old.isEqualNode(fresh)) return;
    if (old.nodeType !== fresh.nodeType || old.nodeName !== fresh.nodeName || old.id !== fresh.id) {
      return old.replaceWith(fresh);
    }
    if (old.nodeType !== 1) { old.data = fresh.data; return; }
    for (const { name } of [...old.attributes]) {
      if (!fresh.hasAttribute(name) && name !== "open" && name !== "hidden") old.removeAttribute(name);
    }
    for (const { name, value } of fresh.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
    const known = new Map([...old.children].filter((each) => each.id).map((each) => [each.id, each]));
    let at = old.firstChild;
    for (const next of [...fresh.childNodes]) {
      const same = next.id ? known.get(next.id) : at && !at.id && !next.id && at.nodeName === next.nodeName ? at : undefined;
      if (!same) { old.insertBefore(next, at); continue; }
      if (same === at) at = at.nextSibling; else old.insertBefore(same, at);
      morph(same, next);
    }
    while (at) { const next = at.nextSibling; at.remove(); at = next; }
  };
  // Tables stay as they were sorted.
  const arrange = (old, fresh) => {
    const shown = old.querySelectorAll("table.sortable");
    fresh.querySelectorAll("table.sortable").forEach((table, at) => makeSortable(table, shown[at]));
  };
  // Where one is, and what one has marked, stays though rows move.
  const keepPlace = (act) => {
    const active = document.activeElement, marked = getSelection();
    const { anchorNode, anchorOffset, focusNode, focusOffset } = marked;
    const lengthOf = (node) => node.nodeType === 1 ? node.childNodes.length : node.data.length;
    act();
    if (active !== document.activeElement && active.isConnected) active.focus({ preventScroll: true });
    if (!anchorNode || (marked.anchorNode === anchorNode && marked.focusNode === focusNode)) return;
    if (!anchorNode.isConnected || !focusNode.isConnected) return;
    marked.setBaseAndExtent(anchorNode, Math.min(anchorOffset, lengthOf(anchorNode)),
      focusNode, Math.min(focusOffset, lengthOf(focusNode)));
  };
  const show = (parts) => keepPlace(() => {
    for (const [id, html] of Object.entries(parts)) {
      const old = document.getElementById(id);
      if (!old) continue;
      const holder = document.createElement("template");
      holder.innerHTML = html;
      const fresh = holder.content.firstElementChild;
      if (!fresh) continue;
      arrange(old, fresh);
      morph(old, fresh, true);
    }
    tick(); sift();
  });
${SORT}
  const log = document.getElementById("log"), MOST_LINES = ${MOST_LINES};
  const append = ({ lines, open, note }) => {
    const follows = log.scrollHeight - log.scrollTop - log.clientHeight < 40;
    const holder = document.createElement("template");
    holder.innerHTML = lines;
    const last = document.getElementById("open-line");
    if (note) { const cut = document.createElement("div"); cut.className = "cut"; cut.textContent = note; last.before(cut); }
    last.before(holder.content);
    last.innerHTML = open;
    for (let extra = log.childElementCount - MOST_LINES; extra > 0; extra--) log.firstElementChild.remove();
    if (follows) log.scrollTop = log.scrollHeight;
  };

  // A browser has six connections for all its tabs: only those that are seen hold one.
  let source;
  const open = () => {
    if (source || !body.dataset.live || document.hidden) return;
    source = new EventSource(body.dataset.live);
    source.onopen = () => say("live", "on");
    source.onerror = () => say(source && source.readyState === 2 ? "gone: load the page anew" : "connecting…", "off");
    source.addEventListener("parts", (event) => show(JSON.parse(event.data)));
    source.addEventListener("append", (event) => {
      append(JSON.parse(event.data));
      const url = new URL(body.dataset.live, location);
      url.searchParams.set("from", event.lastEventId);
      body.dataset.live = url.pathname + url.search;
    });
    source.addEventListener("moved", () => location.reload());
    source.addEventListener("problem", (event) => { close(); delete body.dataset.live; say(JSON.parse(event.data).message, "off"); });
    source.addEventListener("over", () => { close(); delete body.dataset.live; say("over", ""); });
  };
  const close = () => { if (source) source.close(); source = undefined; };
  document.addEventListener("visibilitychange", () => document.hidden ? close() : open());
  addEventListener("pagehide", close);
  addEventListener("pageshow", open);

  const sieve = document.getElementById("sieve");
  const sift = () => {
    if (!sieve) return;
    const words = sieve.value.toLowerCase().split(/\s+/).filter(Boolean);
    const steps = [...document.querySelectorAll("#steps .step")].reverse();
    for (const step of steps) {
      const text = step.querySelector("summary").textContent.toLowerCase();
      // A group is shown, and open, with any of its members.
      const isWithin = step.querySelector(".step:not([hidden])") !== null;
      step.hidden = !words.every((word) => text.includes(word)) && !isWithin;
      if (isWithin && words.length > 0) step.open = true;
    }
  };
  if (sieve) sieve.addEventListener("input", sift);
  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName)) return;
    const field = document.querySelector("input[type=search]");
    if (field) { event.preventDefault(); field.focus(); }
  });
  // Whatever an address leads to is unfolded first.
  const follow = () => {
    const target = /^#s\d+$/.test(location.hash) && document.getElementById(location.hash.slice(1));
    for (let one = target; one; one = one.parentElement) if (one.tagName === "DETAILS") { one.open = true; one.hidden = false; }
    if (target) target.scrollIntoView({ block: "center" });
  };
  addEventListener("hashchange", follow); follow();
  for (const select of document.querySelectorAll("select[data-now]")) select.addEventListener("change", () => select.form.submit());

  if (log) log.scrollTop = log.scrollHeight;
  tick(); setInterval(tick, 1000); open();
})();
`;
