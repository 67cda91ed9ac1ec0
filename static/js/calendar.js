/* The calendar: entries are dragged to another day or hour, or moved in a dialog. What is shown is always what the
   server answered: a drop only asks.

   [data-entry]               an entry that may be moved; its value is the id of the post
   [data-drop]                a day or an hour (data-hour) that takes it
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

  const placeOf = (element) => element.closest?.(".calendar-cell, .calendar-slot");
  const takes = (event) => (dragged && event.target.closest?.("#calendar [data-drop]")) || null;

  document.addEventListener("dragstart", (event) => {
    const entry = event.target.closest?.("#calendar [data-entry][draggable]");
    if (!entry) return;
    dragged = entry;
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", entry.querySelector("a").href);
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
    const from = placeOf(entry);
    if (place === from) return;
    const values = { day: place.dataset.drop, next: calendar().dataset.here };
    // Beside itself on another day an entry keeps its minutes; another hour is taken from its beginning.
    const hour = place.dataset.hour;
    if (hour !== undefined && hour !== from.dataset.hour) values.clock = `${hour.padStart(2, "0")}:00`;
    entry.setAttribute("aria-busy", "true");
    htmx
      .ajax("POST", entry.querySelector("[formaction]").formAction, { ...ANSWER, values, source: entry })
      .finally(() => entry.removeAttribute("aria-busy"));
  });

  document.addEventListener("dragend", release);

  /* --- The dialog ----------------------------------------------------------------------------------------------------- */

  document.addEventListener("submit", (event) => {
    if (event.target.id !== "calendar_move" || !event.submitter) return;
    event.preventDefault();
    const values = { next: calendar().dataset.here };
    htmx.ajax("GET", event.submitter.formAction, { ...ANSWER, values, source: "#calendar" });
  });

  // Where the post stands now, the eye and the keyboard find it; else the keyboard begins at the heading.
  document.addEventListener("calendar:moved", (event) => {
    const entries = [...document.querySelectorAll(`#calendar [data-entry="${event.detail.post}"]`)];
    const entry = entries.find((one) => one.checkVisibility());
    if (!entry) {
      document.getElementById("calendar_title").focus();
      return;
    }
    const place = entry.closest(".calendar-entry, .calendar-row");
    place.dataset.moved = "";
    place.querySelector("a").focus();
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
