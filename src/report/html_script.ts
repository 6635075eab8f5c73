import { SORT } from "./html_sort.ts";

/**
 * The script of `report.html`: search over steps and logs, filters by state, sorting, addresses of
 * lines. The page says everything without it. It makes no markup out of text.
 */
export const SCRIPT = String.raw`
"use strict";
(() => {
  const $ = (id) => document.getElementById(id);
  const all = (query, root = document) => [...root.querySelectorAll(query)];
  const steps = all(".step");
  const tools = $("tools");

  // Whatever an address leads to is unfolded first.
  function show(element) {
    for (let one = element; one; one = one.parentElement) {
      if (one.tagName === "DETAILS") one.open = true;
      one.hidden = false;
    }
    element.scrollIntoView({ block: "center" });
  }
  function follow() {
    let id = location.hash.slice(1);
    try { id = decodeURIComponent(id); } catch { return; }
    const target = id && $(id);
    for (const line of all(".log .at")) line.classList.remove("at");
    if (!target) return;
    if (target.matches(".log span")) target.classList.add("at");
    if (target.matches(".step, .step *")) show(target);
  }
  addEventListener("hashchange", follow);
  follow();

  document.addEventListener("click", (event) => {
    const line = event.target.closest && event.target.closest(".log span[id]");
    if (!line || event.offsetX > 52 || event.target !== line) return;
    history.replaceState(null, "", "#" + line.id);
    follow();
  });

  if (tools) {
    tools.hidden = false;
    const search = $("search"), found = $("found"), states = $("states"), unfold = $("unfold");
    const rowText = new Map(steps.map((step) =>
      [step, step.querySelector("summary").textContent.toLowerCase()]));
    const leaves = steps.filter((step) => !step.querySelector(".step"));
    const chosen = new Set();
    let hits = [], at = -1, timer;

    const counts = new Map();
    for (const step of leaves) {
      counts.set(step.dataset.state, (counts.get(step.dataset.state) || 0) + 1);
    }
    if (counts.size > 1) {
      for (const [state, count] of counts) {
        const button = document.createElement("button");
        button.type = "button";
        button.textContent = count + " " + state;
        button.setAttribute("aria-pressed", "false");
        button.addEventListener("click", () => {
          const isOn = !chosen.delete(state);
          if (isOn) chosen.add(state);
          button.setAttribute("aria-pressed", String(isOn));
          apply();
        });
        states.append(button);
      }
    }

    function apply() {
      const wanted = search.value.trim().toLowerCase();
      for (const line of all(".log .hit, .log .at")) line.classList.remove("hit", "at");
      hits = [];
      at = -1;
      const shown = new Set();
      for (const step of leaves) {
        const isChosen = chosen.size === 0 || chosen.has(step.dataset.state);
        let isFound = wanted === "" || rowText.get(step).includes(wanted);
        if (isChosen && wanted !== "") {
          for (const line of all(".log span[id]", step)) {
            if (!line.textContent.toLowerCase().includes(wanted)) continue;
            line.classList.add("hit");
            hits.push(line);
            isFound = true;
          }
        }
        step.hidden = !(isChosen && isFound);
        if (step.hidden) continue;
        for (let one = step; one; one = one.parentElement) shown.add(one);
      }
      const isAll = wanted === "" && chosen.size === 0;
      for (const step of steps) {
        if (leaves.includes(step)) continue;
        step.hidden = !shown.has(step);
        if (!isAll && shown.has(step)) step.open = true;
      }
      const visible = leaves.filter((step) => !step.hidden).length;
      found.textContent = isAll ? "" : words(visible, "step") +
        (wanted === "" ? "" : ", " + words(hits.length, "line"));
      if (hits.length > 0) found.append(jump("Previous", -1), jump("Next", 1));
    }
    function words(count, what) { return count + " " + what + (count === 1 ? "" : "s"); }
    function jump(name, by) {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = name;
      button.addEventListener("click", () => go(by));
      return button;
    }
    function go(by) {
      if (hits.length === 0) return;
      if (at >= 0) hits[at].classList.remove("at");
      at = (at + by + hits.length) % hits.length;
      hits[at].classList.add("at");
      show(hits[at]);
    }
    search.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(apply, 120); });
    search.addEventListener("keydown", (event) => {
      if (event.key === "Escape") { search.value = ""; apply(); }
      if (event.key === "Enter") { clearTimeout(timer); if (at < 0) apply(); go(event.shiftKey ? -1 : 1); }
    });
    addEventListener("keydown", (event) => {
      if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
      if (/^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement.tagName)) return;
      event.preventDefault();
      search.focus();
    });
    unfold.addEventListener("click", () => {
      const isOpening = unfold.textContent === "Unfold all";
      for (const step of steps) step.open = isOpening;
      unfold.textContent = isOpening ? "Fold all" : "Unfold all";
    });
  }

${SORT}})();
`;
