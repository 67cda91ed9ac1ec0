/* Lists that a person puts in order, by dragging or by buttons.

   [data-sortable]            the list; its children are the items. After each change it fires "reorder".
   [data-sortable-handle]     inside an item: where it can be grabbed, and where the arrow keys move it
   [data-move="-1"|"1"]       inside an item: a button that moves it; without JavaScript it submits its form
   [data-position]            inside an item: shows its place, counted from 1
   data-text-moved            on the list: what a screen reader hears, with {position} and {total}
   [data-sortable-status]     a live region beside the list that says it */
(() => {
  "use strict";

  const CONTROLS = "a, button:not([data-sortable-handle]), input, textarea, select, label, summary";
  const KEYS = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 };

  function number(list) {
    const items = [...list.children];
    items.forEach((item, index) => {
      for (const place of item.querySelectorAll("[data-position]")) place.textContent = index + 1;
      for (const button of item.querySelectorAll("[data-move]")) {
        const isAtEnd = Number(button.dataset.move) < 0 ? index === 0 : index === items.length - 1;
        // Not `disabled`: a button that reaches the end must keep the focus.
        button.setAttribute("aria-disabled", String(isAtEnd));
      }
    });
  }

  function announce(list, item) {
    const status = list.parentElement.querySelector("[data-sortable-status]");
    if (!status || !list.dataset.textMoved) return;
    const position = [...list.children].indexOf(item) + 1;
    status.textContent = list.dataset.textMoved
      .replace("{position}", position)
      .replace("{total}", list.children.length);
  }

  function changed(list, item) {
    number(list);
    announce(list, item);
    list.dispatchEvent(new CustomEvent("reorder", { bubbles: true }));
  }

  function move(item, by, control) {
    const list = item.parentElement;
    const neighbour = by < 0 ? item.previousElementSibling : item.nextElementSibling;
    if (!neighbour) return;
    if (by < 0) neighbour.before(item);
    else neighbour.after(item);
    control.focus();
    item.scrollIntoView({ block: "nearest" });
    changed(list, item);
  }

  function itemOf(element) {
    const list = element.closest("[data-sortable]");
    return list && [...list.children].find((item) => item.contains(element));
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-move]");
    const item = button && itemOf(button);
    if (!item) return;
    event.preventDefault();
    move(item, Number(button.dataset.move), button);
  });

  document.addEventListener("keydown", (event) => {
    const handle = event.target.closest?.("[data-sortable-handle]");
    const item = handle && KEYS[event.key] && itemOf(handle);
    if (!item) return;
    event.preventDefault();
    move(item, KEYS[event.key], handle);
  });

  function prepare(root) {
    const lists = [...root.querySelectorAll("[data-sortable]")];
    if (root.matches?.("[data-sortable]")) lists.push(root);
    for (const list of lists) {
      number(list);
      if (list.dataset.sortable === "ready") continue;
      list.dataset.sortable = "ready";
      Sortable.create(list, {
        animation: matchMedia("(prefers-reduced-motion: reduce)").matches ? 0 : 150,
        ghostClass: "sortable-ghost",
        // A finger scrolls the page unless it stays on the item, or is on the handle.
        delay: 200,
        delayOnTouchOnly: true,
        filter: CONTROLS,
        preventOnFilter: false,
        onEnd: (drag) => {
          if (drag.oldIndex !== drag.newIndex) changed(list, drag.item);
        },
      });
    }
  }

  document.addEventListener("htmx:load", (event) => prepare(event.detail.elt));
  // For scripts that put items into a list themselves.
  document.addEventListener("sortable:refresh", (event) => number(event.target));
  prepare(document);
})();
