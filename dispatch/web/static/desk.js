// The operator's desk by keyboard: combobox, candidates by number, draft that survives a reload, one save per form.
(() => {
  "use strict";
  const form = document.getElementById("desk-form");
  if (!form) { return; }
  const DRAFT = "desk-draft";
  const field = (id) => document.getElementById(id);
  const kind = field("kind_text");
  const kinds = field("kind-list");
  const address = field("address_text");
  const wish = (name) => document.body.dispatchEvent(new CustomEvent(name));

  // -- the draft ---------------------------------------------------------------------------------------------
  const keep = () => {
    const draft = {};
    for (const element of form.elements) {
      if (!element.name || element.name === "csrf_token") { continue; }
      if (element.type === "radio" || element.type === "checkbox") {
        if (element.checked) { draft[element.name] = element.value; }
      } else if (element.value) {
        draft[element.name] = element.value;
      }
    }
    sessionStorage.setItem(DRAFT, JSON.stringify(draft));
    const mark = field("draft-mark");
    mark.textContent = Object.keys(draft).length > 2 ? mark.dataset.kept : "";
  };

  const put = (draft) => {
    for (const [name, value] of Object.entries(draft)) {
      const elements = form.querySelectorAll(`[name="${CSS.escape(name)}"]`);
      for (const element of elements) {
        if (element.type === "radio" || element.type === "checkbox") {
          element.checked = element.value === value;
        } else {
          element.value = value;
        }
      }
    }
  };

  // The draft whose answers wait for their questions; a form cleared meanwhile does not get them back.
  let restoring = null;
  const restore = () => {
    const draft = JSON.parse(sessionStorage.getItem(DRAFT) || "null");
    const called = form.elements.caller_phone.value;
    if (!draft || (called && draft.caller_phone !== called)) { return; }
    put(draft);
    field("own-window").hidden = form.elements.wanted.value !== "own";
    if (draft.service_id) {
      restoring = draft;
      document.body.addEventListener("htmx:afterSettle", function again(event) {
        if (event.detail.target.id === "questions") {
          if (restoring) { put(Object.fromEntries(Object.entries(draft).filter(([name]) => name.startsWith("answer.")))); }
          restoring = null;
          document.body.removeEventListener("htmx:afterSettle", again);
        }
      });
      wish("kind");
    }
    htmx.trigger(form.elements.caller_phone, "recall");
    wish("refresh");
  };

  const forget = () => {
    restoring = null;
    for (const id of ["questions", "knowledge"]) { htmx.trigger(field(id), "htmx:abort"); }
    sessionStorage.removeItem(DRAFT);
    form.reset();
    for (const name of ["service_id", "stairwell_id", "building_id", "room", "caller_resident_id", "knowledge_id", "knowledge_version"]) { field(name).value = ""; }
    form.elements.caller_phone.value = "";
    for (const id of ["questions", "place-result", "knowledge"]) { field(id).replaceChildren(); }
    field("place-result").className = "place";
    field("own-window").hidden = true;
    kinds.replaceChildren();
    for (const element of form.querySelectorAll("[aria-invalid]")) { element.removeAttribute("aria-invalid"); }
    field("draft-mark").textContent = "";
    htmx.trigger(form.elements.caller_phone, "recall");
    wish("refresh");
    form.elements.caller_phone.focus();
  };

  // -- the kind: a combobox ------------------------------------------------------------------------------------
  const options = () => [...kinds.querySelectorAll("[data-service]")];
  const chosen = () => options().find((option) => option.getAttribute("aria-selected") === "true");
  const show = (is) => kind.setAttribute("aria-expanded", String(is));
  const select = (option) => {
    for (const each of options()) { each.setAttribute("aria-selected", String(each === option)); }
    kind.setAttribute("aria-activedescendant", option.id);
    option.scrollIntoView({ block: "nearest" });
  };
  const close = () => {
    kinds.replaceChildren();
    kind.removeAttribute("aria-activedescendant");
    show(false);
  };
  const take = (option) => {
    kind.value = option.dataset.name;
    field("service_id").value = option.dataset.service;
    close();
    keep();
    wish("kind");
    wish("refresh");
  };
  const next = () => {
    const place = field("place-result").classList;
    (address.value && place.contains("is-found") ? form.elements.description : address).focus();
  };

  kind.addEventListener("input", () => { field("service_id").value = ""; });
  kind.addEventListener("keydown", (event) => {
    if (event.isComposing) { return; }
    const all = options();
    const at = all.indexOf(chosen());
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (!all.length) { htmx.trigger(kind, "open"); return; }
      select(all[(at + (event.key === "ArrowDown" ? 1 : all.length - 1)) % all.length]);
    } else if (event.key === "Enter" && !event.ctrlKey) {
      event.preventDefault();
      if (at >= 0) { take(all[at]); next(); } else if (field("service_id").value) { next(); } else { waiting = true; }
    } else if (event.key === "Escape") {
      close();
    } else if (event.key === "Tab" && at >= 0 && kind.value) {
      take(all[at]);
    }
  });
  kind.addEventListener("blur", () => window.setTimeout(close, 150));
  kinds.addEventListener("pointerdown", (event) => {
    const option = event.target.closest("[data-service]");
    if (option) { event.preventDefault(); take(option); next(); }
  });
  // Enter pressed before the answer is there: the first option is taken as soon as it comes.
  let waiting = false;
  document.body.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target !== kinds) { return; }
    if (document.activeElement !== kind || field("service_id").value) { close(); return; }
    const first = options()[0];
    show(Boolean(first));
    if (first) { select(first); }
    if (waiting && first) { take(first); next(); }
    waiting = false;
  });

  // -- the place -------------------------------------------------------------------------------------------------
  const pick = (button) => {
    field("stairwell_id").value = button.dataset.stairwell;
    field("building_id").value = button.dataset.stairwell ? "" : button.dataset.building;
    keep();
    wish("refresh");
    form.elements.description.focus();
  };
  address.addEventListener("input", () => {
    for (const name of ["stairwell_id", "building_id", "room"]) { field(name).value = ""; }
  });

  // -- the caller --------------------------------------------------------------------------------------------------
  const known = (button) => {
    field("caller_resident_id").value = button.dataset.resident;
    form.elements.caller_name.value = button.dataset.name;
    if (button.dataset.address && !address.value) {
      address.value = button.dataset.address;
      field("stairwell_id").value = button.dataset.stairwell;
      field("building_id").value = button.dataset.stairwell ? "" : button.dataset.building;
    }
    button.setAttribute("aria-pressed", "true");
    keep();
    wish("refresh");
  };
  form.elements.caller_phone.addEventListener("input", () => { field("caller_resident_id").value = ""; });
  document.body.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target.id !== "caller" || field("caller_resident_id").value) { return; }
    const people = event.detail.target.querySelectorAll("[data-resident]");
    if (people.length === 1 && !form.elements.caller_name.value) { known(people[0]); }
  });

  document.addEventListener("click", (event) => {
    const candidate = event.target.closest("[data-candidate]");
    const person = event.target.closest("[data-resident]");
    if (candidate) { pick(candidate); }
    const matter = event.target.closest("[data-same], [data-same-urged]");
    if (person) { known(person); kind.focus(); }
    if (matter) { same(matter); }
    if (event.target.closest("#clear")) { forget(); field("desk-result").replaceChildren(); }
  });

  // -- knowledge: opened and answered with by keys, without the mouse --------------------------------------------------
  const items = () => [...document.querySelectorAll("#knowledge details")];
  const opened = () => items().find((item) => item.open);
  const show_item = (item) => {
    for (const each of items()) { each.open = each === item; }
    item.querySelector("summary").focus();
  };
  const turn = (step) => {
    const all = items();
    if (all.length) { show_item(all[(all.indexOf(opened()) + step + all.length) % all.length]); }
  };
  const answer = () => {
    const item = opened();
    if (!item) { return; }
    field("knowledge_id").value = item.dataset.knowledge;
    field("knowledge_version").value = item.dataset.version;
    htmx.trigger(field("answer-door"), "answer");
  };
  document.addEventListener("click", (event) => { if (event.target.closest("[data-answer]")) { answer(); } });
  const knowledge_key = (event) => {
    if (event.altKey && event.code === "KeyK") { turn(1); return true; }
    if (event.altKey && event.code === "KeyA" && opened()) { answer(); return true; }
    const said = event.altKey && { KeyY: "yes", KeyU: "no" }[event.code];
    const button = said && document.querySelector(`[data-useful="${said}"]`);
    if (button) { button.click(); return true; }
    if (!event.target.closest?.("#knowledge")) { return false; }
    if (event.key === "ArrowDown" || event.key === "ArrowUp") { turn(event.key === "ArrowDown" ? 1 : -1); return true; }
    if (event.key === "Escape") { form.elements.description.focus(); return true; }
    return false;
  };

  // -- the same matter: asked from a door that stays, because the preview with its buttons may be replaced meanwhile ---
  const same = (button) => htmx.ajax("POST", button.dataset.door, {
    source: field("same-door"),
    target: "#desk-result",
    values: "sameUrged" in button.dataset ? { urged: "yes" } : {},
  });

  // -- keys for the whole form -----------------------------------------------------------------------------------------
  // Pressed once more when the order is placed already: the form is empty, and the order stays shown.
  const save = () => {
    if (field("placed") && !sessionStorage.getItem(DRAFT)) { return; }
    htmx.trigger(form, "save");
  };
  const order = ["caller_phone", "kind_text", "address_text", "description"];
  document.addEventListener("keydown", (event) => {
    if (event.isComposing) { return; }
    if (knowledge_key(event)) { event.preventDefault(); return; }
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); save(); return; }
    if (event.altKey && /^Digit[1-5]$/.test(event.code)) {
      const button = document.querySelectorAll("[data-candidate]")[Number(event.code.slice(5)) - 1];
      if (button) { event.preventDefault(); pick(button); }
      return;
    }
    if (event.altKey && /^Digit[06-9]$/.test(event.code)) {
      const which = event.shiftKey ? "data-same-urged" : "data-same";
      const button = document.querySelector(`[${which}="${event.code.slice(5)}"]`);
      if (button) { event.preventDefault(); button.click(); }
      return;
    }
    if (event.altKey && event.code === "KeyN") { event.preventDefault(); forget(); field("desk-result").replaceChildren(); return; }
    const group = event.target.closest?.("[data-digits]");
    if (group && /^[1-9]$/.test(event.key)) {
      const choice = group.querySelectorAll("input")[Number(event.key) - 1];
      if (choice) {
        event.preventDefault();
        choice.checked = true;
        choice.dispatchEvent(new Event("input", { bubbles: true }));
        const groups = [...document.querySelectorAll("[data-digits]")];
        const following = groups[groups.indexOf(group) + 1];
        (following ? following.querySelector("input") : field("save")).focus();
      }
      return;
    }
    const at = order.indexOf(event.target.id);
    if (event.key === "Enter" && at >= 0 && event.target.id !== "kind_text" && event.target.id !== "description") {
      event.preventDefault();
      field(order[at + 1]).focus();
    }
  });
  form.addEventListener("submit", (event) => { event.preventDefault(); save(); });
  form.addEventListener("input", keep);
  form.elements.wanted.addEventListener("change", () => {
    field("own-window").hidden = form.elements.wanted.value !== "own";
  });

  // -- answers of the server ---------------------------------------------------------------------------------------------
  // Told as soon as the answer stands on the page, key of the next form included: what was saved is gone by then.
  document.body.addEventListener("order-placed", forget);
  document.body.addEventListener("order-refused", () => {
    for (const element of form.querySelectorAll("[aria-invalid]")) { element.removeAttribute("aria-invalid"); }
    const first = form.querySelector("[data-error-of]");
    if (!first) { return; }
    const name = first.dataset.errorOf === "service_id" ? "kind_text" : first.dataset.errorOf;
    const wrong = field(name) || form.elements[name];
    if (wrong?.focus) { wrong.setAttribute("aria-invalid", "true"); wrong.focus(); }
  });

  // htmx takes its triggers when the document is ready; the draft comes back after that.
  document.addEventListener("DOMContentLoaded", restore);
})();
