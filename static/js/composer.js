/* The composer: what the server need not be asked for. Everything here also works without. */
(() => {
  "use strict";

  const form = () => document.querySelector("[data-composer]");
  let isDirty = false;

  /* --- Accounts: the text for one network is offered when its account is chosen ---------------------------------- */

  function showChosen(root) {
    for (const box of root.querySelectorAll("input[name=accounts]")) {
      const override = root.querySelector(`[data-account="${CSS.escape(box.value)}"]`);
      override?.toggleAttribute("data-unchosen", !box.checked);
    }
  }

  document.addEventListener("change", (event) => {
    if (event.target.name === "accounts") showChosen(event.target.form);
  });

  /* --- Leaving with something unsaved ----------------------------------------------------------------------------- */

  document.addEventListener("input", (event) => {
    if (event.target.form === form()) isDirty = true;
  });
  document.addEventListener("reorder", () => { isDirty = true; });
  document.addEventListener("submit", () => { isDirty = false; });
  window.addEventListener("beforeunload", (event) => {
    if (isDirty && form()) event.preventDefault();
  });

  /* --- Files dropped anywhere on the card of images --------------------------------------------------------------- */

  const zoneOf = (event) => event.target.closest?.("#composer_media");
  const carriesFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");

  document.addEventListener("dragover", (event) => {
    const zone = carriesFiles(event) && zoneOf(event);
    for (const other of document.querySelectorAll("[data-drop]")) if (other !== zone) delete other.dataset.drop;
    if (!zone) return;
    event.preventDefault();
    zone.dataset.drop = "";
  });
  document.addEventListener("dragleave", (event) => {
    const zone = zoneOf(event);
    if (zone && !zone.contains(event.relatedTarget)) delete zone.dataset.drop;
  });
  document.addEventListener("drop", (event) => {
    const zone = carriesFiles(event) && zoneOf(event);
    if (!zone) return;
    event.preventDefault();
    delete zone.dataset.drop;
    const input = zone.querySelector("input[type=file]");
    input.files = event.dataTransfer.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
  });

  /* --- Start, and after the form came back changed ----------------------------------------------------------------- */

  function prepare() {
    const root = form();
    if (!root || root.dataset.live) return;
    root.dataset.live = "yes";
    showChosen(root);
    root.querySelector("[data-focus]")?.focus();
  }

  document.addEventListener("htmx:load", prepare);
  prepare();
})();
