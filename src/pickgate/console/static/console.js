// Keeps ages right, fetches the page's live part again when something changed, and never takes a form away from
// somebody who is filling it in. Everything works without this file, only less lively.
"use strict";

(function () {
  const words = (seconds) => {
    if (seconds < 60) return `${seconds} s`;
    const minutes = Math.floor(seconds / 60), hours = Math.floor(seconds / 3600), days = Math.floor(seconds / 86400);
    if (minutes < 60) return `${minutes} min`;
    if (hours < 24) return `${hours} h ${String(minutes % 60).padStart(2, "0")} min`;
    return `${days} d ${hours % 24} h`;
  };
  // The server's clock counts, not this computer's.
  const served = document.querySelector("meta[name=pickgate-now]");
  const offset = served ? Date.parse(served.content) - Date.now() : 0;

  const refreshAges = () => {
    const now = Date.now() + offset;
    for (const node of document.querySelectorAll("time [data-age]")) {
      const gap = Math.round((Date.parse(node.parentElement.dateTime) - now) / 1000);
      const text = gap === 0 ? "now" : gap > 0 ? `in ${words(gap)}` : `${words(-gap)} ago`;
      if (node.textContent !== text) node.textContent = text;
    }
  };
  setInterval(refreshAges, 5000);

  const live = () => document.getElementById("live");
  const isBusy = (region) =>
    region.contains(document.activeElement) && document.activeElement.matches("input, select, textarea, button") ||
    region.querySelector("input[type=checkbox]:checked, details.action[open]") !== null;

  let last = 0, timer = null;
  const refresh = (force) => {
    const region = live();
    if (!region || document.hidden) return;
    if (!force && isBusy(region)) {
      document.body.classList.add("stale");
      return;
    }
    const wait = force ? 0 : Math.max(0, last + 3000 - Date.now());
    clearTimeout(timer);
    timer = setTimeout(() => {
      last = Date.now();
      document.body.classList.remove("stale");
      window.htmx.ajax("GET", window.location.pathname + window.location.search, {
        source: region, target: region, select: "#live", swap: "outerHTML",
      });
    }, wait);
  };

  document.addEventListener("pickgate-changed", () => refresh(true));
  document.addEventListener("htmx:afterSwap", refreshAges);
  document.addEventListener("htmx:configRequest", (event) => {
    const token = document.querySelector("meta[name=pickgate-csrf]");
    if (token) event.detail.headers["X-CSRF-Token"] = token.content;
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-refresh], [data-select-all], [data-dismiss]");
    if (!button) return;
    if (button.hasAttribute("data-dismiss")) button.parentElement.remove();
    else if (button.hasAttribute("data-refresh")) refresh(true);
    else for (const box of document.querySelectorAll(button.dataset.selectAll)) box.checked = button.checked;
  });
  // The state of the exceptions' bulk bar: how many are chosen.
  document.addEventListener("change", () => {
    const count = document.querySelector("[data-chosen]");
    if (count) count.textContent = document.querySelectorAll("input[name=ids]:checked").length;
  });

  if (live() && "EventSource" in window) {
    let source = null;
    const listen = () => {
      if (document.hidden) { if (source) source.close(); source = null; return; }
      if (source) return;
      source = new EventSource("/events");
      source.addEventListener("changed", () => refresh(false));
    };
    document.addEventListener("visibilitychange", () => { listen(); refresh(false); });
    window.addEventListener("pagehide", () => { if (source) source.close(); source = null; });
    listen();
  }
})();
