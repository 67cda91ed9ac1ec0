/* The composer's form is kept on the server while somebody types. While that cannot be, it is kept in this window.

   form[data-autosave="address"]      where it is sent; [data-autosave-owner] says whose it is
   [data-autosave-status]             a sentence about it */
(() => {
  "use strict";

  const PAUSE = 1500; // of typing
  const AGAIN = 15000; // after it did not work
  const PATIENCE = 8000; // for the page after the form was sent
  const KEEPALIVE_MOST = 60000; // browsers send no more of a page that is being left
  const PREFIX = "socialhub:composer:";
  const LEFT_OUT = ["csrfmiddlewaretoken", "action", "upload", "add", "template", "group"];

  const form = () => document.querySelector("[data-autosave]");
  const keyOf = (root) => root.elements.key.value;
  const nameOf = (root) => `${PREFIX}${root.dataset.autosaveOwner}:${keyOf(root)}`;

  let timer = null;
  let isChanged = false; // typed, and not sent yet
  let trouble = ""; // "Offline", "SignedOut", "Gone", "Trouble", "refused": why the server does not have what was typed
  let sending = Promise.resolve();
  let isSending = false;
  let isLeaving = false;
  let wasSent = false;
  let sent = ""; // what the server has

  function say(text) {
    const place = document.querySelector("[data-autosave-status]");
    if (place && place.textContent !== text) place.textContent = text;
  }

  function valuesOf(root) {
    return [...new FormData(root)].filter(([name, value]) => typeof value === "string" && !LEFT_OUT.includes(name));
  }

  function bodyOf(values, token) {
    const body = new FormData();
    for (const [name, value] of values) body.append(name, value);
    body.append("csrfmiddlewaretoken", token);
    return body;
  }

  const tokenOf = (root) => root.elements.csrfmiddlewaretoken.value;

  /* --- This window ------------------------------------------------------------------------------------------------- */

  function keepHere(root) {
    try {
      sessionStorage.setItem(nameOf(root), JSON.stringify({ url: root.dataset.autosave, values: valuesOf(root) }));
      return true;
    } catch {
      return false; // full, or not allowed
    }
  }

  function forgetHere(root) {
    sessionStorage.removeItem(nameOf(root));
  }

  function setAddress(root) {
    const here = new URL(location.href);
    if (here.searchParams.get("draft") === keyOf(root)) return;
    // Only the form itself is named: what it began with stands in it.
    here.search = `?draft=${keyOf(root)}`;
    history.replaceState(history.state, "", here);
    nameAction(root);
  }

  /* Where a session ends between keeping and submitting, the page of this address comes after signing in. */
  function nameAction(root) {
    const address = new URL(root.getAttribute("action"), location.href); // root.action is the buttons of that name
    if (new URL(location.href).searchParams.has("draft")) root.setAttribute("action", address.pathname + location.search);
  }

  /* --- The server -------------------------------------------------------------------------------------------------- */

  /* What became of it: "ok", or the name of the trouble. */
  async function post(url, values, token) {
    let response;
    try {
      response = await fetch(url, { method: "POST", body: bodyOf(values, token), redirect: "manual", credentials: "same-origin" });
    } catch {
      return { state: "Offline" };
    }
    // 403: somebody has signed in anew in another tab, and this page is of the session before.
    if (response.type === "opaqueredirect" || response.status === 403) return { state: "SignedOut" };
    if (response.status === 404) return { state: "Gone" }; // deleted meanwhile
    const isJson = response.headers.get("Content-Type")?.startsWith("application/json");
    const answer = isJson ? await response.json() : {};
    if (response.ok) return { state: "ok", ...answer };
    return { state: answer.text ? "refused" : "Trouble", ...answer };
  }

  async function send() {
    const root = form();
    if (!root) return "ok";
    clearTimeout(timer);
    const values = valuesOf(root);
    const text = JSON.stringify(values);
    isChanged = false;
    isSending = true;
    const answer = await post(root.dataset.autosave, values, tokenOf(root));
    isSending = false;
    if (isLeaving && answer.state !== "ok") return answer.state; // broken off by the page that comes
    if (form() && keyOf(form()) !== keyOf(root)) return answer.state;
    if (answer.state === "ok") {
      trouble = "";
      sent = text;
      forgetHere(root);
      if (answer.address) setAddress(form() ?? root);
      say(answer.text);
      return answer.state;
    }
    isChanged = true;
    if (answer.state === "refused") {
      trouble = answer.state;
      say(answer.text);
    } else {
      fail(form() ?? root, answer.state);
    }
    return answer.state;
  }

  function fail(root, state) {
    trouble = state;
    keepHere(root);
    setAddress(root);
    say(root.dataset[`text${state}`]);
    schedule(AGAIN);
  }

  // One after another: an answer that overtakes another would say the wrong thing.
  function save() {
    sending = sending.then(send, send);
    return sending;
  }

  function schedule(after) {
    clearTimeout(timer);
    timer = setTimeout(save, after);
  }

  /* The next page does not come: somebody has stopped it, or the line is slow. Sent twice, it is one post all the same. */
  function stay() {
    isLeaving = false;
    if (!form()) return;
    delete form().dataset.submitting;
    for (const button of form().querySelectorAll("[aria-busy]")) button.removeAttribute("aria-busy");
  }

  function changed(event) {
    if (isLeaving && event?.isTrusted) stay();
    if (isLeaving) return;
    isChanged = true;
    if (trouble && form()) keepHere(form());
    schedule(PAUSE);
  }

  /* --- What is a change -------------------------------------------------------------------------------------------- */

  const isTyped = (event) => event.target.form === form() && form() && event.target.name && !LEFT_OUT.includes(event.target.name);

  document.addEventListener("input", (event) => {
    if (isTyped(event) || event.target === form()) changed(event);
  });
  document.addEventListener("change", (event) => {
    if (isTyped(event)) changed(event);
  });
  document.addEventListener("reorder", (event) => {
    if (form()?.contains(event.target)) changed();
  });

  /* The form came back from one of its own buttons: an image was added, a template filled in. */
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.target !== form()) return;
    const status = document.querySelector("[data-autosave-status]").textContent;
    document.addEventListener(
      "htmx:afterSettle",
      () => {
        if (!form()) return;
        nameAction(form());
        say(status);
        if (JSON.stringify(valuesOf(form())) !== sent) changed();
      },
      { once: true },
    );
  });

  /* --- Signed out -------------------------------------------------------------------------------------------------- */

  function signedOut() {
    if (isLeaving) return; // a check that was on its way when somebody signed out
    const root = form();
    const words = document.querySelector("#session-expired p");
    if (words) words.textContent = root.dataset.textSession;
    fail(root, "SignedOut");
  }

  function askToSignIn() {
    const dialog = document.getElementById("session-expired");
    const link = dialog?.querySelector("[data-session-login]");
    if (!link) return;
    link.href = `${document.body.dataset.loginUrl}?next=${encodeURIComponent(location.pathname + location.search)}`;
    if (!dialog.open) dialog.showModal();
  }

  // Before the frame asks to sign in again: the address it comes back to must be that of this form.
  document.addEventListener(
    "htmx:beforeOnLoad",
    (event) => {
      const target = event.detail.xhr.getResponseHeader("HX-Redirect");
      const login = document.body.dataset.loginUrl;
      if (form() && target && login && new URL(target, location.href).pathname === login) signedOut();
    },
    true,
  );

  /* --- Submitting: not before it is kept, so that an ended session or a lost connection takes nothing along ----------- */

  document.addEventListener(
    "submit",
    async (event) => {
      const root = event.target;
      if (root !== form()) return;
      if (isLeaving) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      const button = event.submitter;
      if (root.dataset.asking) return;
      root.dataset.asking = "yes";
      button?.setAttribute("aria-busy", "true");
      keepHere(root);
      const state = await save();
      delete root.dataset.asking;
      button?.removeAttribute("aria-busy");
      if (state === "SignedOut") {
        signedOut();
        askToSignIn();
      } else if (state !== "Offline") {
        isLeaving = wasSent = true;
        clearTimeout(timer);
        setTimeout(stay, PATIENCE);
        root.requestSubmit(button);
      } else {
        const detail = { message: root.dataset.textOffline, level: "error" };
        document.dispatchEvent(new CustomEvent("socialhub:toast", { detail }));
      }
    },
    true,
  );

  // Who signs out in the middle of a sentence finds it again.
  document.addEventListener(
    "submit",
    async (event) => {
      const other = event.target;
      if (!other.matches("[data-sign-out]") || !form() || isLeaving) return;
      if (!isChanged && !isSending) {
        isLeaving = true;
        return;
      }
      event.preventDefault();
      event.stopImmediatePropagation();
      await (isChanged ? save() : sending);
      isLeaving = true;
      other.requestSubmit(event.submitter);
    },
    true,
  );

  /* --- Leaving ----------------------------------------------------------------------------------------------------- */

  window.addEventListener("beforeunload", (event) => {
    if (form() && !isLeaving && isChanged && trouble) event.preventDefault();
  });
  window.addEventListener("pagehide", () => {
    const root = form();
    if (!root || isLeaving || !isChanged) return;
    const body = bodyOf(valuesOf(root), tokenOf(root));
    const size = new Blob([JSON.stringify(valuesOf(root))]).size;
    if (trouble || size > KEEPALIVE_MOST) keepHere(root);
    if (!trouble) fetch(root.dataset.autosave, { method: "POST", body, keepalive: size <= KEEPALIVE_MOST, redirect: "manual" }).catch(() => keepHere(root));
  });
  // The browser shows the form as it was left, but it may have been saved: the server knows.
  window.addEventListener("pageshow", (event) => {
    if (event.persisted && form() && (wasSent || isLeaving)) location.reload();
  });
  // The line below says what it means for the text; the toast of the frame would only cover the buttons.
  for (const failure of ["htmx:sendError", "htmx:responseError"]) {
    document.addEventListener(
      failure,
      (event) => {
        if (event.target.id === "composer_review" && [0, 404].includes(event.detail.xhr.status)) event.stopPropagation();
      },
      true,
    );
  }
  window.addEventListener("online", () => {
    if (trouble && form()) save();
  });

  /* --- Coming back: what is kept in this window goes to the server, and comes from there --------------------------- */

  async function bringBack() {
    const root = form();
    if (!root) return;
    const mine = `${PREFIX}${root.dataset.autosaveOwner}:`;
    const names = Object.keys(sessionStorage).filter((name) => name.startsWith(mine));
    let isHere = false;
    let isElsewhere = false;
    for (const name of names) {
      const { url, values } = JSON.parse(sessionStorage.getItem(name));
      const answer = await post(url, values, tokenOf(root));
      if (answer.state !== "ok") continue;
      sessionStorage.removeItem(name);
      if (name === nameOf(root)) isHere = true;
      else if (answer.address) isElsewhere = true;
    }
    if (isHere) location.replace(`${location.pathname}?draft=${keyOf(root)}`);
    else if (isElsewhere && !isChanged) location.reload();
  }

  bringBack();
})();
