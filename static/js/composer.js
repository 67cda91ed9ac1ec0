/* The composer: what the server need not be asked for. Everything here also works without. */
(() => {
  "use strict";

  const form = () => document.querySelector("[data-composer]");

  /* --- Accounts: the text for one network is offered when its account is chosen ---------------------------------- */

  function showChosen(root) {
    for (const box of root.querySelectorAll("input[name=accounts]")) {
      for (const part of root.querySelectorAll(`[data-account="${CSS.escape(box.value)}"]`)) {
        part.toggleAttribute("data-unchosen", !box.checked);
      }
    }
  }

  function showCount(root) {
    const place = root.querySelector("[data-accounts-count]");
    if (!place) return;
    const boxes = [...root.querySelectorAll("input[name=accounts]")];
    place.textContent = place.dataset.textCount
      .replace("{chosen}", boxes.filter((box) => box.checked).length)
      .replace("{total}", boxes.length);
  }

  document.addEventListener("change", (event) => {
    if (event.target.name !== "accounts") return;
    showChosen(event.target.form);
    showCount(event.target.form);
  });
  // For scripts that put values into the form themselves.
  document.addEventListener("composer:refilled", (event) => {
    showChosen(event.target);
    showCount(event.target);
    for (const field of event.target.querySelectorAll("[name^='caption-']")) showOwn(field);
  });

  /* --- What a network asks only when something else was chosen: an event has a time, an offer a code ---------------- */

  const valueOf = (field) => (field.type === "checkbox" ? (field.checked ? "yes" : "no") : field.value);

  document.addEventListener("change", (event) => {
    if (!event.target.closest?.(".composer-choice")) return;
    for (const part of event.target.closest(".composer-choices").querySelectorAll("[data-asked-when]")) {
      const rule = Object.entries(JSON.parse(part.dataset.askedWhen));
      const isAsked = rule.every(([name, values]) => values.includes(valueOf(event.target.form.elements[name])));
      part.toggleAttribute("data-unasked", !isAsked);
    }
  });

  /* --- Many accounts: find one, choose all that are shown or none ------------------------------------------------- */

  const rowsOf = (root) => [...root.querySelectorAll(".composer-account[data-text]")];

  document.addEventListener("input", (event) => {
    if (!event.target.matches("[data-accounts-filter]")) return;
    const wanted = event.target.value.trim().toLocaleLowerCase();
    for (const row of rowsOf(event.target.form)) row.hidden = !row.dataset.text.toLocaleLowerCase().includes(wanted);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.target.matches("[data-accounts-filter]")) event.preventDefault();
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-accounts-choose]");
    if (!button) return;
    const isAll = button.dataset.accountsChoose === "yes";
    let last = null;
    for (const row of rowsOf(button.form)) {
      const box = row.querySelector("input[name=accounts]");
      if (box.disabled || (isAll && row.hidden) || box.checked === isAll) continue;
      box.checked = isAll;
      last = box;
    }
    last?.dispatchEvent(new Event("change", { bubbles: true }));
  });

  /* --- A text of its own for one account: marked at the account, begun from the caption, given up again -------------- */

  function showOwn(field) {
    const account = field.name.slice("caption-".length);
    const isOwn = field.value.trim() !== "";
    const parts = `.composer-account:has([value="${account}"]), .composer-override[data-account="${account}"]`;
    for (const part of document.querySelectorAll(parts)) part.toggleAttribute("data-own-text", isOwn);
    if (!isOwn) document.getElementById(`difference_${account}`)?.replaceChildren();
  }

  document.addEventListener("input", (event) => {
    if (event.target.name?.startsWith("caption-")) showOwn(event.target);
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-own-start], [data-own-reset]");
    if (!button) return;
    const field = button.closest(".composer-override").querySelector("[name^='caption-']");
    field.value = "ownStart" in button.dataset ? button.form.elements.caption.value : "";
    field.dispatchEvent(new Event("input", { bubbles: true }));
    field.focus();
  });

  /* --- What was typed before this file was there: it is checked like everything typed later ------------------------- */

  function isChanged(field) {
    if (field.type === "checkbox" || field.type === "radio") return field.checked !== field.defaultChecked;
    if (field.type !== "select-one") return field.defaultValue !== undefined && field.value !== field.defaultValue;
    const first = Math.max(0, [...field.options].findIndex((option) => option.defaultSelected));
    return field.selectedIndex !== first;
  }

  function catchUp(root) {
    if (root.dataset.caughtUp) return;
    root.dataset.caughtUp = "yes";
    const fields = [...root.elements].filter((field) => field.name);
    for (const field of fields.filter((one) => one.type === "file" && one.files.length)) {
      field.dispatchEvent(new Event("change", { bubbles: true }));
    }
    const changed = fields.find((field) => field.type !== "file" && isChanged(field));
    changed?.dispatchEvent(new Event("input", { bubbles: true }));
    for (const menu of root.querySelectorAll("details[open]:has(> div > [hx-get])")) menu.dispatchEvent(new Event("toggle"));
  }

  /* --- What could not be checked any more is not called ready -------------------------------------------------------- */

  for (const name of ["htmx:responseError", "htmx:sendError", "htmx:afterSwap"]) {
    document.addEventListener(
      name,
      ({ target }) => {
        if (target.id === "composer_review") form()?.toggleAttribute("data-unchecked", name !== "htmx:afterSwap");
      },
      true,
    );
  }

  /* --- After a button of a menu has filled a field, writing goes on there ---------------------------------------------- */

  document.addEventListener("htmx:afterSettle", (event) => {
    const button = event.detail.requestConfig?.elt;
    if (!button?.dataset.thenFocus) return;
    const field = document.getElementById(button.dataset.thenFocus);
    delete button.dataset.thenFocus;
    field?.focus();
    field?.setSelectionRange(field.value.length, field.value.length);
  });

  /* --- Start, and after the form came back changed ----------------------------------------------------------------- */

  function prepare() {
    const root = form();
    if (!root || root.dataset.live) return;
    root.dataset.live = "yes";
    showChosen(root);
    root.querySelector("[data-focus]")?.focus();
  }

  document.addEventListener("htmx:load", () => {
    prepare();
    // Not before HTMX listens.
    if (form()) catchUp(form());
  });
  prepare();
})();
