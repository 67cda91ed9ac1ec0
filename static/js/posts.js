/* The list of posts: what is ticked, all of it, and a stretch of it. Everything else is plain forms. */
(() => {
  "use strict";

  const boxes = () => [...document.querySelectorAll("#post_list .post-pick input")];
  let last = null;

  function show() {
    const all = boxes();
    const picked = all.filter((box) => box.checked).length;
    const head = document.querySelector("[data-select-all]");
    if (head) {
      head.hidden = all.length === 0;
      const box = head.querySelector("input");
      box.checked = picked > 0 && picked === all.length;
      box.indeterminate = picked > 0 && picked < all.length;
    }
    const count = document.querySelector("[data-selected-count]");
    if (!count) return;
    const text = picked === 1 ? count.dataset.one : count.dataset.many.replace("%s", picked);
    if (picked && count.textContent !== text) count.textContent = text;
    const none = document.querySelector("[data-select-none]");
    if (none) none.hidden = !picked;
  }

  function pick(some, checked) {
    for (const box of some) box.checked = checked;
    show();
  }

  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-select-none]")) {
      pick(boxes(), false);
      document.getElementById("select_all")?.focus();
      return;
    }
    const box = event.target;
    if (!(box instanceof HTMLInputElement) || !box.closest("#post_list .post-pick")) return;
    // With Shift held, everything between this one and the last goes with it.
    if (event.shiftKey && last?.isConnected && last !== box) {
      const all = boxes();
      const [from, to] = [all.indexOf(last), all.indexOf(box)].sort((a, b) => a - b);
      pick(all.slice(from, to + 1), box.checked);
    }
    last = box;
  });

  document.addEventListener("change", (event) => {
    if (event.target.id === "select_all") pick(boxes(), event.target.checked);
    else if (event.target.closest(".post-pick")) show();
  });

  // The menu of a row sends a form; it closes with it.
  document.addEventListener("htmx:beforeRequest", (event) => {
    const menu = event.detail.elt.closest(".post-row-menu");
    if (menu) menu.open = false;
  });

  document.addEventListener("htmx:afterSettle", show);
  window.addEventListener("pageshow", show); // the browser ticks again what was ticked
  show();
})();

/* The page of a post: it looks again by itself while something is going on, but not while nobody sees it. */
(() => {
  "use strict";

  const AGAIN = 15000; // after a look that failed
  const moving = () => document.getElementById("post_progress");
  let missed = false;
  let unfolded = [];

  const look = () => moving()?.dispatchEvent(new CustomEvent("socialhub:look"));

  document.addEventListener("htmx:beforeRequest", (event) => {
    if (event.detail.elt.id !== "post_progress" || !document.hidden) return;
    event.preventDefault();
    missed = true;
  });
  document.addEventListener("visibilitychange", () => {
    if (document.hidden || !missed) return;
    missed = false;
    look();
  });
  for (const failure of ["htmx:sendError", "htmx:responseError", "htmx:timeout"]) {
    document.addEventListener(failure, (event) => {
      if (event.detail.elt.id === "post_progress") setTimeout(look, AGAIN);
    });
  }

  // What has happened is sent along only where somebody looks at it.
  document.addEventListener("htmx:configRequest", (event) => {
    if (!document.querySelector(".post-timeline[open]")) return;
    event.detail.parameters.timeline = new URL(location.href).searchParams.get("timeline") ?? "latest";
  });

  // What is unfolded stays so.
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.target.id !== "post_progress") return;
    unfolded = [...document.querySelectorAll("#post_progress details[open][id], #post_timeline details[open][id]")].map((one) => one.id);
  });
  document.addEventListener("htmx:afterSettle", () => {
    if (!moving()) return;
    for (const id of unfolded) {
      const fold = document.getElementById(id);
      if (fold) fold.open = true;
    }
    unfolded = [];
    // Read out only when it says something new.
    const live = document.querySelector("[data-post-live]");
    const headline = document.querySelector("#post_progress .post-headline")?.textContent ?? "";
    if (live && live.textContent !== headline) live.textContent = headline;
  });
})();
