/* The counter: a card is read, goods are found by typing, the holder signs. A signing is first kept on this device, then
   sent once by its key; without a network only what was reserved before can be signed. */
"use strict";

(() => {
  const root = document.getElementById("counter");
  if (!root) return;
  const NAME = "counter-signings";
  const AGAIN_MS = 5000;
  const SHORTEST_SIGNATURE = 80;
  const LONGEST_SEND_MS = 60000;
  const TRY_AGAIN = new Set([401, 408, 425, 429]);
  const words = root.dataset;
  const work = document.getElementById("work");
  const kept = document.getElementById("kept");
  const card = document.getElementById("card");
  let countdown = 0;
  let sending = null;

  /* ---- what waits on this device ---- */

  const within = (mode, deed) => new Promise((resolve, reject) => {
    const opening = indexedDB.open(NAME, 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore("acts", { keyPath: "key" });
    opening.onerror = () => reject(opening.error);
    opening.onsuccess = () => {
      const change = opening.result.transaction("acts", mode);
      const request = deed(change.objectStore("acts"));
      change.oncomplete = () => { opening.result.close(); resolve(request.result); };
      change.onabort = () => { opening.result.close(); reject(change.error); };
    };
  });
  const keep = (act) => within("readwrite", (store) => store.put(act));
  const forget = (key) => within("readwrite", (store) => store.delete(key));
  const all = () => within("readonly", (store) => store.getAll());

  const line = (tone, text) => {
    const row = document.createElement("p");
    row.className = `tone-${tone}`;
    row.append(text);
    kept.append(row);
    return row;
  };

  const showKept = async () => {
    kept.replaceChildren();
    for (const act of await all()) {
      if (!act.refused) {
        line("soon", words.wordsKept);
        continue;
      }
      const row = line("late", `${words.wordsRefused}${act.refused}`);
      const button = document.createElement("button");
      button.type = "button";
      button.className = "btn btn-plain";
      button.textContent = words.wordsSeen;
      button.addEventListener("click", async () => { await forget(act.key); await showKept(); });
      row.append(button);
    }
  };

  const send = async (act) => {
    const body = new FormData();
    for (const [name, value] of act.texts) body.append(name, value);
    body.append("signature", new Blob([act.picture], { type: act.type }), "signature");
    const stop = new AbortController();
    const timer = setTimeout(() => stop.abort(), LONGEST_SEND_MS);
    try {
      const token = document.querySelector('#card-form input[name="csrf_token"]').value;
      const headers = { Accept: "application/json", "Idempotency-Key": act.key, "X-CSRF-Token": token };
      const response = await fetch(act.address, { method: "POST", body, headers, credentials: "same-origin", redirect: "manual", signal: stop.signal });
      if (response.ok) return { ...await response.json(), state: "sent" };
      if (response.type === "opaqueredirect" || response.status >= 500 || TRY_AGAIN.has(response.status)) return { state: "kept" };
      return { ...await response.json(), state: "refused" };
    } catch (error) {
      return { state: "kept" };
    } finally {
      clearTimeout(timer);
    }
  };

  const sendAll = async () => {
    for (const act of (await all()).filter((one) => !one.refused)) {
      const result = await send(act);
      if (result.state === "kept") break;
      if (result.state === "sent") {
        await forget(act.key);
        done(result);
      } else if (result.field && refuse(act, result.detail)) {
        await forget(act.key);
      } else {
        await keep({ ...act, refused: result.detail });
      }
    }
    await showKept();
  };

  const flush = () => {
    if (!sending) {
      const alone = navigator.locks ? navigator.locks.request(NAME, sendAll) : sendAll();
      sending = alone.finally(() => { sending = null; });
    }
    return sending;
  };

  const done = ({ number, slip }) => {
    clearInterval(countdown);
    const part = document.createElement("section");
    part.className = "panel";
    part.dataset.part = "done";
    const text = document.createElement("strong");
    text.textContent = words.wordsSent.replace("{number}", number);
    const link = document.createElement("a");
    link.className = "btn btn-plain";
    link.href = slip;
    link.textContent = words.wordsSlip;
    part.append(text, " ", link);
    work.replaceChildren(part);
    card.value = "";
    card.focus();
    htmx.trigger(document.body, "handed-out");
  };

  /* Beside the form it came from, when that is still there. */
  const refuse = (act, detail) => {
    const form = document.getElementById("sign-form");
    if (!form || !act.address.endsWith(form.getAttribute("action"))) return false;
    const place = form.querySelector("[data-error]");
    place.textContent = detail;
    place.hidden = false;
    form.hidden = false;
    return true;
  };

  /* ---- choosing by keyboard ---- */

  const bindChoosing = (part) => {
    const filter = part.querySelector("#filter");
    if (!filter) return;
    const rows = Array.from(part.querySelectorAll("tr[data-goods]"));
    const fits = (row, typed) => {
      const [name, ...rest] = row.dataset.goods.toLowerCase().split(" ");
      const syllables = rest.join("-").split("-");
      return name.includes(typed) || syllables.join("").startsWith(typed) || syllables.map((one) => one[0]).join("").startsWith(typed);
    };
    filter.addEventListener("input", () => {
      const typed = filter.value.trim().toLowerCase();
      for (const row of rows) row.hidden = typed !== "" && !fits(row, typed);
    });
    filter.addEventListener("keydown", (event) => {
      if (event.key !== "Enter") return;
      event.preventDefault();
      const first = rows.find((row) => !row.hidden);
      if (filter.value.trim() === "") part.querySelector("form").requestSubmit();
      else if (first) first.querySelector("input").select();
    });
    for (const row of rows) {
      row.querySelector("input").addEventListener("keydown", (event) => {
        if (event.key !== "Enter") return;
        event.preventDefault();
        filter.value = "";
        filter.dispatchEvent(new Event("input"));
        filter.focus();
      });
    }
    const unseen = part.querySelector('input[name="seen"]:not(:checked)');
    (unseen || filter).focus();
  };

  /* ---- signing ---- */

  const bindSigning = (part) => {
    const form = part.querySelector("#sign-form");
    const box = part.querySelector("[data-sign]");
    const paper = part.querySelector("[data-paper]");
    const canvas = box.querySelector("canvas");
    const began = performance.now();
    const servers = Date.parse(part.dataset.now);
    const say = () => {
      const isSigned = pad.isSigned();
      box.querySelector("[data-sign-state]").textContent = isSigned ? words.wordsSigned : words.wordsUnsigned;
      box.classList.toggle("is-signed", isSigned);
    };
    const pad = SignaturePad(canvas, { shortest: SHORTEST_SIGNATURE, lifted: say, cleared: say });
    box.querySelector("[data-sign-clear]").addEventListener("click", pad.clear);
    const way = () => form.elements.namedItem("way").value;
    const show = () => { box.hidden = way() !== "stroke"; paper.hidden = way() === "stroke"; };
    form.addEventListener("change", show);
    pad.clear();
    show();

    const tick = () => {
      const seconds = Math.max(0, Math.round(Number(part.dataset.seconds) - (performance.now() - began) / 1000));
      const time = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
      part.querySelector("[data-left]").textContent = seconds ? words.wordsLeft.replace("{time}", time) : words.wordsOver;
    };
    countdown = setInterval(tick, 1000);
    tick();

    const picture = async () => {
      if (way() !== "stroke") return paper.querySelector("input").files[0] || null;
      if (!pad.isSigned()) return null;
      return new Promise((resolve) => { canvas.toBlob(resolve, "image/png"); });
    };
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const place = form.querySelector("[data-error]");
      place.hidden = true;
      const chosen = await picture();
      if (!chosen) {
        place.textContent = words.wordsSign;
        place.hidden = false;
        return;
      }
      const texts = Array.from(new FormData(form)).filter(([name, value]) => typeof value === "string" && name !== "csrf_token");
      texts.push(["signed_at", new Date(servers + performance.now() - began).toISOString()]);
      const key = Array.from(crypto.getRandomValues(new Uint8Array(18)), (byte) => byte.toString(16).padStart(2, "0")).join("");
      await keep({ key, address: form.action, texts, picture: await chosen.arrayBuffer(), type: chosen.type });
      form.hidden = true;
      await showKept();
      await flush();
    });
    canvas.scrollIntoView({ block: "nearest" });
    form.querySelector('input[name="way"]:checked').focus();
  };

  const bind = () => {
    clearInterval(countdown);
    const part = work.querySelector("[data-part]");
    if (!part) return;
    if (part.dataset.part === "choosing") bindChoosing(part);
    if (part.dataset.part === "signing") bindSigning(part);
    if (part.dataset.part === "refused") card.select();
  };

  document.body.addEventListener("htmx:afterSettle", (event) => { if (event.detail.target === work || event.target === work) bind(); });
  document.body.addEventListener("htmx:sendError", () => {
    const part = document.createElement("p");
    part.className = "message tone-late";
    part.setAttribute("role", "alert");
    part.textContent = words.wordsOffline;
    kept.append(part);
  });
  Scan.bind(document.getElementById("camera"), document.getElementById("picture"), (text) => {
    card.value = text;
    document.getElementById("card-form").requestSubmit();
  });
  addEventListener("online", flush);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) flush(); });
  setInterval(async () => { if ((await all()).some((one) => !one.refused)) await flush(); }, AGAIN_MS);
  flush().then(() => { document.documentElement.dataset.ready = ""; });
})();
