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
