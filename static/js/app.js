/* What HTML cannot do alone. Listeners sit on the document, so that swapped markup works; hooks are data- attributes. */
(() => {
  "use strict";

  const text = (name) => document.body.dataset[`text${name}`] ?? "";

  /* --- Dialogs: data-dialog-open="id", data-dialog-close, data-dialog-auto on the dialog itself ------------------ */

  const openers = new WeakMap();

  function openDialog(dialog, opener) {
    if (!dialog || dialog.open) return;
    openers.set(dialog, opener ?? document.activeElement);
    dialog.showModal();
  }

  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-dialog-open]");
    if (opener) {
      event.preventDefault();
      openDialog(document.getElementById(opener.dataset.dialogOpen), opener);
      return;
    }
    if (event.target.closest("[data-dialog-close]")) {
      event.target.closest("dialog")?.close();
      return;
    }
    // The dialog is its own backdrop's target; a click inside it hits a child.
    if (event.target instanceof HTMLDialogElement && event.target.open) {
      const box = event.target.getBoundingClientRect();
      const inside =
        event.clientX >= box.left && event.clientX <= box.right && event.clientY >= box.top && event.clientY <= box.bottom;
      if (!inside) event.target.close();
    }
  });

  // `close` does not bubble, but it can be caught on the way down.
  document.addEventListener(
    "close",
    (event) => {
      const opener = openers.get(event.target);
      if (opener?.isConnected) opener.focus();
    },
    true,
  );

  function openAutoDialogs(root) {
    for (const dialog of root.querySelectorAll("dialog[data-dialog-auto]")) {
      dialog.removeAttribute("data-dialog-auto");
      openDialog(dialog);
    }
  }

  /* --- Menus: <details class="menu"> closes on Escape, on a click elsewhere, and when focus leaves --------------- */

  function closeMenus(except) {
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      if (menu !== except) menu.open = false;
    }
  }

  document.addEventListener("click", (event) => closeMenus(event.target.closest("details.menu")));
  document.addEventListener("focusin", (event) => closeMenus(event.target.closest("details.menu")));
  document.addEventListener("keydown", (event) => {
    const menu = event.target.closest?.("details.menu");
    if (!menu) return;
    const summary = menu.querySelector("summary");
    if (event.key === "Escape" && menu.open) {
      menu.open = false;
      summary.focus();
      return;
    }
    if (!["ArrowDown", "ArrowUp", "Home", "End"].includes(event.key) || event.target.matches("input, select, textarea")) return;
    if (!menu.open && event.target !== summary) return;
    event.preventDefault();
    const wasClosed = !menu.open;
    menu.open = true;
    const items = [...menu.querySelectorAll(".menu-items :is(a[href], button:not(:disabled))")].filter((item) => item.checkVisibility());
    const at = wasClosed ? -1 : items.indexOf(document.activeElement);
    const forth = (at + 1) % items.length;
    const back = (at <= 0 ? items.length : at) - 1;
    items[{ ArrowDown: forth, ArrowUp: back, Home: 0, End: items.length - 1 }[event.key]]?.focus();
  });

  /* --- Light or dark: at once, and what was typed stays; the server keeps the choice in a cookie ------------------- */

  document.addEventListener("submit", (event) => {
    const form = event.target;
    const chosen = event.submitter?.value;
    if (!("themeForm" in form.dataset) || !chosen) return;
    event.preventDefault();
    const root = document.documentElement;
    if (chosen === "system") delete root.dataset.theme;
    else root.dataset.theme = chosen;
    for (const button of document.querySelectorAll("[data-theme-form] button[name=theme]")) {
      button.setAttribute("aria-pressed", String(button.value === chosen));
    }
    const body = new FormData(form, event.submitter);
    fetch(form.action, { method: "POST", body, redirect: "manual" }).catch(() => toast(text("Offline"), "error"));
  });

  /* --- Toasts --------------------------------------------------------------------------------------------------- */

  const READING_TIME = 7000;

  function watchToast(toast) {
    if (toast.dataset.watched) return;
    toast.dataset.watched = "yes";
    // Errors and warnings stay until they are dismissed.
    if (toast.dataset.level === "error" || toast.dataset.level === "warning") return;
    let timer = setTimeout(() => toast.remove(), READING_TIME);
    const hold = () => clearTimeout(timer);
    const release = () => { timer = setTimeout(() => toast.remove(), READING_TIME); };
    toast.addEventListener("pointerenter", hold);
    toast.addEventListener("focusin", hold);
    toast.addEventListener("pointerleave", release);
    toast.addEventListener("focusout", release);
  }

  function toast(message, level = "info") {
    const region = document.getElementById("messages");
    if (!region || !message) return;
    for (const shown of region.querySelectorAll(".toast p")) {
      if (shown.textContent === message) return;
    }
    const element = document.createElement("div");
    element.className = "toast";
    element.dataset.level = level;
    element.dataset.toast = "";
    const words = document.createElement("p");
    words.textContent = message;
    const close = document.createElement("button");
    close.className = "icon-button";
    close.type = "button";
    close.dataset.toastClose = "";
    close.dataset.size = "small";
    close.setAttribute("aria-label", text("Dismiss"));
    close.textContent = "×";
    element.append(words, close);
    region.append(element);
    watchToast(element);
  }

  document.addEventListener("click", (event) => {
    event.target.closest("[data-toast-close]")?.closest("[data-toast]")?.remove();
  });

  // Other scripts of ours ask for a toast with an event, so that none of them needs this file's inside.
  document.addEventListener("socialhub:toast", (event) => toast(event.detail.message, event.detail.level));

  /* --- Busy buttons: a form goes out once, however often it is clicked ------------------------------------------- */

  function setBusy(form, submitter, isBusy) {
    const button = submitter ?? form.querySelector("button:not([type=button]), input[type=submit]");
    if (isBusy) {
      form.dataset.submitting = "yes";
      button?.setAttribute("aria-busy", "true");
    } else {
      delete form.dataset.submitting;
      for (const busy of form.querySelectorAll("[aria-busy=true]")) busy.removeAttribute("aria-busy");
      button?.removeAttribute("aria-busy");
    }
  }

  document.addEventListener(
    "submit",
    (event) => {
      const form = event.target;
      if (form.dataset.submitting) {
        event.preventDefault();
        event.stopImmediatePropagation();
      }
    },
    true,
  );

  document.addEventListener("submit", (event) => {
    const form = event.target;
    const isOurs = form.method !== "dialog" && form.target !== "_blank" && form.dataset.busy !== "off";
    if (!event.defaultPrevented && isOurs) setBusy(form, event.submitter, true);
  });

  // A page that comes back from the browser's cache must not come back busy.
  window.addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    for (const form of document.querySelectorAll("form[data-submitting]")) setBusy(form, null, false);
    for (const button of document.querySelectorAll("[aria-busy=true]")) button.removeAttribute("aria-busy");
  });

  const isForm = (element) => element instanceof HTMLFormElement;

  document.addEventListener("htmx:beforeRequest", (event) => {
    const element = event.detail.elt;
    if (isForm(element)) setBusy(element, event.detail.requestConfig.triggeringEvent?.submitter, true);
    else if (element.matches("button, .button")) element.setAttribute("aria-busy", "true");
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    const element = event.detail.elt;
    if (isForm(element)) setBusy(element, event.detail.requestConfig.triggeringEvent?.submitter, false);
    else element.removeAttribute("aria-busy");
  });

  /* --- What came back instead of the fragment -------------------------------------------------------------------- */

  document.addEventListener("htmx:beforeOnLoad", (event) => {
    const target = event.detail.xhr.getResponseHeader("HX-Redirect");
    const login = document.body.dataset.loginUrl;
    if (!target || !login) return;
    if (new URL(target, location.href).pathname !== login) return;
    event.preventDefault();
    askToSignIn();
  });
  // Scripts that send by themselves.
  document.addEventListener("session:ended", askToSignIn);

  function askToSignIn() {
    const dialog = document.getElementById("session-expired");
    const link = dialog?.querySelector("[data-session-login]");
    if (!link) return;
    link.href = `${document.body.dataset.loginUrl}?next=${encodeURIComponent(location.pathname + location.search)}`;
    if (!dialog.open) openDialog(dialog);
  }

  document.addEventListener("htmx:responseError", (event) => {
    const name = { 403: "Forbidden", 404: "Gone" }[event.detail.xhr.status] ?? "Error";
    toast(text(name), "error");
  });
  document.addEventListener("htmx:sendError", () => toast(text("Offline"), "error"));

  /* --- Who signs out leaves nothing behind that was kept in this window ---------------------------------------------- */

  document.addEventListener("submit", (event) => {
    if (event.target.matches("[data-sign-out]")) sessionStorage.clear();
  });

  /* --- Copy: data-copy="the text", or data-copy-from="id of an element" ------------------------------------------- */

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy], [data-copy-from]");
    if (!button) return;
    const source = document.getElementById(button.dataset.copyFrom);
    const value = button.dataset.copy ?? source?.value ?? source?.textContent.trim() ?? "";
    try {
      await navigator.clipboard.writeText(value);
      toast(text("Copied"), "success");
    } catch {
      // No clipboard on plain http: mark the text, so that the keyboard can copy it.
      if (source) getSelection().selectAllChildren(source);
    }
  });

  /* --- Passwords can be looked at --------------------------------------------------------------------------------- */

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-reveal]");
    const input = button?.parentElement.querySelector("input");
    if (!input) return;
    const isShown = input.type === "text";
    input.type = isShown ? "password" : "text";
    button.setAttribute("aria-pressed", String(!isShown));
    input.focus();
  });

  // What is shown goes out as a password all the same, so that the browser offers to keep it.
  document.addEventListener("submit", (event) => {
    for (const button of event.target.querySelectorAll("[data-reveal][aria-pressed=true]")) {
      button.parentElement.querySelector("input").type = "password";
      button.setAttribute("aria-pressed", "false");
    }
  });

  /* --- Pictures that do not load make way for what lies below them ------------------------------------------------ */

  document.addEventListener(
    "error",
    (event) => {
      if (event.target instanceof HTMLImageElement && "removeOnError" in event.target.dataset) event.target.remove();
    },
    true,
  );

  /* --- Tabs wider than the screen: the active one is in sight, and an edge that hides some fades out -------------- */

  function fadeTabs(tabs) {
    const left = tabs.scrollLeft > 1;
    const right = tabs.scrollLeft + tabs.clientWidth < tabs.scrollWidth - 1;
    tabs.dataset.cut = left && right ? "both" : left ? "start" : right ? "end" : "";
  }

  function prepareTabs() {
    for (const tabs of document.querySelectorAll(".tabs")) {
      const active = tabs.querySelector("[aria-current], [aria-selected=true]");
      if (active && !tabs.dataset.cut) {
        const from = active.getBoundingClientRect().left - tabs.getBoundingClientRect().left;
        tabs.scrollLeft += from - (tabs.clientWidth - active.clientWidth) / 2;
      }
      fadeTabs(tabs);
    }
  }

  document.addEventListener("scroll", (event) => event.target.matches?.(".tabs") && fadeTabs(event.target), true);
  window.addEventListener("resize", () => document.querySelectorAll(".tabs").forEach(fadeTabs));

  /* --- Start, and after every swap -------------------------------------------------------------------------------- */

  function prepare(root) {
    openAutoDialogs(root);
    prepareTabs();
    for (const element of document.querySelectorAll("[data-toast]")) watchToast(element);
    for (const button of root.querySelectorAll("[data-reveal]")) button.hidden = false;
    // Pictures that failed before this file ran.
    for (const image of root.querySelectorAll("img[data-remove-on-error]")) {
      if (image.complete && image.naturalWidth === 0 && image.loading !== "lazy") image.remove();
    }
  }

  document.addEventListener("htmx:load", (event) => prepare(event.detail.elt.parentElement ?? document));
  prepare(document);
})();
