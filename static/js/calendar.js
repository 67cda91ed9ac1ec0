/* The calendar: entries are dragged to another day or hour, or moved in a dialog. What is shown is always what the
   server answered: a drop only asks.

   [draggable]                an entry that may be moved; by touch so may the rows below the month
   [data-drop]                a day or an hour (data-hour) that takes it; where a week is a list its days do: [data-day]
   #calendar_move             the form whose buttons ask for the dialog; without this file they open a page
   data-here                  on the calendar: its own address */
(() => {
  "use strict";

  const calendar = () => document.getElementById("calendar");
  const ANSWER = { target: "#calendar_dialog", swap: "innerHTML" };
  const STALE = 60_000;

  /* --- Drag --------------------------------------------------------------------------------------------------------- */

  let dragged = null;
  let over = null;

  function hover(place) {
    if (over === place) return;
    if (over) delete over.dataset.over;
    over = place;
    if (over) over.dataset.over = "";
  }

  function release() {
    hover(null);
    if (dragged) delete dragged.dataset.dragged;
    if (calendar()) delete calendar().dataset.dragging;
    dragged = null;
  }

  const listed = window.matchMedia("(max-width: 63.99rem)");
  const placeAt = (element) =>
    (listed.matches && element?.closest?.("#calendar [data-day]")) || element?.closest?.("#calendar [data-drop]") || null;
  const takes = (event) => (dragged ? placeAt(event.target) : null);

  function put(entry, place) {
    const from = entry.closest(".calendar-cell, .calendar-slot") ?? document.querySelector("#calendar [data-chosen]");
    if (place.contains(from)) return;
    const values = { day: place.dataset.drop ?? place.dataset.day, next: calendar().dataset.here };
    // Beside itself on another day an entry keeps its minutes; another hour is taken from its beginning.
    const hour = place.dataset.hour;
    if (hour !== undefined && hour !== from.dataset.hour) values.clock = `${hour.padStart(2, "0")}:00`;
    entry.setAttribute("aria-busy", "true");
    htmx
      .ajax("POST", entry.querySelector("[formaction]").formAction, { ...ANSWER, values, source: entry })
      .finally(() => entry.removeAttribute("aria-busy"));
  }

  document.addEventListener("dragstart", (event) => {
    const entry = event.target.closest?.("#calendar [draggable]");
    if (finger) event.preventDefault(); // some browsers drag after a long touch, but draw nothing below the finger
    if (!entry || finger) return;
    dragged = entry;
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", entry.querySelector("a").href); // or some browsers drag nothing
    event.dataTransfer.setDragImage(entry, 12, 12);
    // Marked only after the browser has taken its picture of the entry.
    setTimeout(() => {
      if (dragged !== entry) return;
      entry.dataset.dragged = "";
      calendar().dataset.dragging = "";
    });
  });

  document.addEventListener("dragover", (event) => {
    if (!dragged) return;
    const place = takes(event);
    hover(place);
    if (!place) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = "move";
  });

  document.addEventListener("drop", (event) => {
    const place = takes(event);
    const entry = dragged;
    if (!place) return;
    event.preventDefault();
    release();
    put(entry, place);
  });

  document.addEventListener("dragend", release);

  /* --- With a finger: an entry that was held for a moment is dragged; before that the page scrolls, as it always does. --- */

  const HOLD = 400;
  const SLACK = 10; // pixels that a resting finger may move
  const EDGE = 120; // where the page scrolls along

  let finger = null;

  function lift() {
    if (finger) {
      clearTimeout(finger.timer);
      cancelAnimationFrame(finger.frame);
      finger.ghost?.remove();
    }
    finger = null;
    release();
  }

  function hold() {
    const { entry } = finger;
    const ghost = entry.cloneNode(true);
    ghost.inert = true; // nothing that stands below the finger
    ghost.classList.add("calendar-ghost");
    finger.ghost = ghost;
    calendar().append(ghost);
    dragged = entry;
    entry.dataset.dragged = "";
    calendar().dataset.dragging = "";
    navigator.vibrate?.(10);
    follow();
  }

  function follow() {
    const { ghost, moved, x, y } = finger;
    ghost.style.translate = `calc(${x}px - 50%) calc(${y}px - 100% - 2rem)`; // where the finger does not hide it
    hover(placeAt(document.elementFromPoint(x, y)));
    if (moved && y < EDGE) window.scrollBy(0, -8);
    else if (moved && y > window.innerHeight - EDGE) window.scrollBy(0, 8);
    finger.frame = requestAnimationFrame(follow);
  }

  document.addEventListener("touchstart", (event) => {
    lift();
    const entry = event.target.closest?.("#calendar :is(.calendar-entry, .calendar-row):has([formaction])");
    const isButton = event.target.closest?.("button"); // some people press long
    if (!entry || isButton || event.touches.length > 1 || !document.querySelector("#calendar [data-drop]")) return;
    const { clientX: x, clientY: y } = event.touches[0];
    finger = { entry, x, y, from: [x, y], timer: setTimeout(hold, HOLD) };
  });

  document.addEventListener(
    "touchmove",
    (event) => {
      if (!finger) return;
      const { clientX: x, clientY: y } = event.touches[0];
      const [fromX, fromY] = finger.from;
      finger.moved ||= Math.hypot(x - fromX, y - fromY) > SLACK;
      if (finger.ghost) {
        event.preventDefault(); // the page stays where it is
        Object.assign(finger, { x, y });
      } else if (finger.moved) lift();
    },
    { passive: false },
  );

  document.addEventListener(
    "touchend",
    (event) => {
      const entry = finger?.ghost && finger.moved && finger.entry;
      if (!entry) return lift();
      event.preventDefault(); // no click
      const place = placeAt(document.elementFromPoint(finger.x, finger.y));
      lift();
      if (place) put(entry, place);
    },
    { passive: false },
  );

  document.addEventListener("touchcancel", lift);
  document.addEventListener("contextmenu", (event) => finger?.ghost && event.preventDefault());

  /* --- The dialog ----------------------------------------------------------------------------------------------------- */

  let asked = null;

  document.addEventListener("submit", (event) => {
    if (event.target.id !== "calendar_move" || !event.submitter) return;
    event.preventDefault();
    asked = event.submitter;
    const values = { next: calendar().dataset.here };
    htmx.ajax("GET", event.submitter.formAction, { ...ANSWER, values, source: "#calendar" });
  });

  // A dialog that came back with an error was opened by one that is gone.
  document.addEventListener("close", (event) => event.target.id === "reschedule_dialog" && asked?.focus(), true);

  // Where the post stands now, the eye and the keyboard find it; else the keyboard begins at the heading.
  document.addEventListener("calendar:moved", (event) => {
    const links = [...document.querySelectorAll(`#calendar a[href*="${event.detail.post}"]`)];
    const link = links.find((one) => one.checkVisibility());
    if (!link) {
      document.getElementById("calendar_title").focus({ preventScroll: true });
      return;
    }
    const place = link.closest("li");
    place.dataset.moved = "";
    link.focus();
    setTimeout(() => delete place.dataset.moved, 4000);
  });

  /* --- A calendar that stayed open is read again when somebody comes back to it ----------------------------------------- */

  let read = Date.now();

  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target.id === "calendar") read = Date.now();
  });

  document.addEventListener("visibilitychange", () => {
    const isIdle = !dragged && !document.querySelector("dialog[open], #calendar details[open]");
    if (document.hidden || !calendar() || !isIdle || Date.now() - read < STALE) return;
    read = Date.now();
    htmx.ajax("GET", calendar().dataset.here, { target: "#calendar", swap: "outerHTML" });
  });
})();
