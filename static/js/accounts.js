/* Pages of accounts, workspace and profile. Everything here only saves a step: the forms work without it. */
(() => {
  "use strict";

  // Facebook hangs this on the address it sends people back to.
  if (location.hash === "#_=_") history.replaceState(null, "", location.pathname + location.search);

  /* --- Connecting…: the state of a network while its form is on the way ------------------------------------------- */

  function setConnecting(network, isBusy) {
    if (!network) return;
    network.querySelector("[data-network-idle]").hidden = isBusy;
    network.querySelector("[data-network-busy]").hidden = !isBusy;
  }

  document.addEventListener("submit", (event) => {
    if (event.target.matches("[data-network-connect]")) setConnecting(event.target.closest("[data-network]"), true);
  });
  // Back from the consent page by the browser's button.
  window.addEventListener("pageshow", () => {
    for (const network of document.querySelectorAll("[data-network]")) setConnecting(network, false);
  });

  /* --- One dialog for many rows: the button says which form goes where, and whose name stands in it ---------------- */

  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-dialog-action]");
    if (!opener) return;
    const dialog = document.getElementById(opener.dataset.dialogOpen);
    dialog.querySelector("[data-dialog-form]").action = opener.dataset.dialogAction;
    for (const place of dialog.querySelectorAll("[data-dialog-name-here]")) place.textContent = opener.dataset.dialogName;
  });

  /* --- Dialogs whose content is loaded: never that of the account before ------------------------------------------- */

  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-dialog-open][hx-get]");
    const loading = document.getElementById("dialog-loading");
    if (!opener || !loading) return;
    document.querySelector(opener.getAttribute("hx-target")).replaceChildren(loading.content.cloneNode(true));
  });

  // What was connected just now may stand far below.
  document.querySelector("[data-shine]")?.scrollIntoView({ block: "nearest" });

  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-submit-on-change]")) event.target.form.requestSubmit();
  });
  for (const button of document.querySelectorAll("[data-without-script]")) button.hidden = true;

  /* --- Choosing among many Pages ----------------------------------------------------------------------------------- */

  function boxesOf(form, isShownOnly) {
    return [...form.querySelectorAll("[data-choose-row]")]
      .filter((row) => !isShownOnly || !row.hidden)
      .map((row) => row.querySelector("input[type=checkbox]"))
      .filter((box) => !box.disabled);
  }

  function tellCount(form) {
    const place = form.querySelector("[data-choose-count]");
    const boxes = boxesOf(form, false);
    const chosen = boxes.filter((box) => box.checked).length;
    place.textContent = place.dataset.chooseCount.replace("{chosen}", chosen).replace("{all}", boxes.length);
  }

  document.addEventListener("input", (event) => {
    const form = event.target.closest("[data-choose]");
    if (!form) return;
    if (event.target.matches("[data-choose-filter]")) {
      const wanted = event.target.value.trim().toLocaleLowerCase();
      let shown = 0;
      for (const row of form.querySelectorAll("[data-choose-row]")) {
        row.hidden = !row.dataset.text.toLocaleLowerCase().includes(wanted);
        if (!row.hidden) shown += 1;
      }
      form.querySelector("[data-choose-none]").hidden = shown > 0;
    }
    tellCount(form);
  });
  // Enter in the filter must not send the form.
  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.target.matches("[data-choose-filter]")) event.preventDefault();
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-choose-all]");
    if (!button) return;
    const form = button.closest("[data-choose]");
    for (const box of boxesOf(form, true)) box.checked = button.dataset.chooseAll === "yes";
    tellCount(form);
  });
  for (const form of document.querySelectorAll("[data-choose]")) {
    const tools = form.querySelector("[data-choose-tools]");
    if (tools) tools.hidden = false;
    tellCount(form);
  }

  /* --- The time zone of this device, offered where another one is set ----------------------------------------------- */

  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;

  for (const offer of document.querySelectorAll("[data-zone-offer]")) {
    const select = document.getElementById(offer.querySelector("[data-zone-use]").dataset.zoneUse);
    const isListed = [...select.options].some((option) => option.value === zone);
    if (!zone || zone === offer.dataset.zoneOffer || !isListed) continue;
    offer.querySelector("[data-zone-offer-name]").textContent = zone.replaceAll("_", " ");
    offer.hidden = false;
  }
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-zone-use]");
    if (!button) return;
    const select = document.getElementById(button.dataset.zoneUse);
    select.value = zone;
    button.closest("[data-zone-offer]").hidden = true;
    select.focus();
  });
})();
