/* The phone page: every act is first kept on the phone, then sent once; photos are shrunk, signatures drawn. */
"use strict";

(() => {
  const LONGEST_SIDE = 1600;
  const JPEG_QUALITY = 0.82;
  const AGAIN_MS = 10000;
  const SHORTEST_SIGNATURE = 80;
  const words = document.body.dataset;
  const base = location.pathname.replace(/\/$/, "").split("/").slice(0, 3).join("/");
  const kept = document.getElementById("kept");
  const pictures = { photos: [], signature: null };
  let countdown = 0;

  const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
  const nameOf = (act) => words[`words${act.split("-").map((part) => part[0].toUpperCase() + part.slice(1)).join("")}`];

  /* ---- what waits on the phone ---- */

  const row = (tone, text) => {
    const line = document.createElement("p");
    line.className = `kept-row tone-${tone}`;
    line.textContent = text;
    kept.append(line);
    return line;
  };

  const showKept = async (isSending = false) => {
    const acts = await PhoneQueue.all();
    kept.replaceChildren();
    for (const act of acts) {
      if (act.refused) {
        showRefused(act);
      } else {
        row("soon", `${nameOf(act.name)} · ${isSending ? words.wordsSending : words.wordsKept}`);
      }
    }
    standIn(acts.filter((act) => act.base === base && !act.refused));
  };

  const showRefused = (act) => {
    const line = row("late", `${nameOf(act.name)} · ${words.wordsRefused}${act.refused}`);
    const button = document.createElement("button");
    button.type = "button";
    button.className = "small quiet-button";
    button.textContent = words.wordsSeen;
    button.addEventListener("click", async () => {
      await PhoneQueue.forget(act.order);
      await showKept();
      await refresh();
    });
    line.append(button);
  };

  /* The page as it will be once what waits is sent, so that work can go on without a signal. */
  const standIn = (acts) => {
    const names = new Set(acts.map((act) => act.name));
    const arrived = names.has("arrive") || document.querySelector('[data-stage="arrived"]') !== null;
    for (const form of document.querySelectorAll("form[data-act]")) {
      form.hidden = names.has(form.dataset.act) || names.has("finish") || names.has("give-back");
    }
    if (names.has("arrive")) {
      for (const step of document.querySelectorAll("[data-step]")) {
        step.className = step.dataset.step < 3 ? "is-done" : step.dataset.step === "3" ? "is-now" : "";
      }
    }
    const isAnswered = names.has("accept") || names.has("decline");
    for (const part of document.querySelectorAll('[data-stage="offered"] > form, .decline')) {
      part.hidden = isAnswered || names.size > 0 && arrived;
    }
    for (const part of document.querySelectorAll('[data-part="way"]')) part.hidden = arrived;
    for (const part of document.querySelectorAll('[data-part="finish"]')) part.hidden = !arrived || names.has("finish");
  };

  const told = async (act, result) => {
    if (act.base !== base) return;
    if (result.state === "refused" && showFieldErrors(act, result)) {
      await PhoneQueue.forget(act.order);
      return;
    }
    await refresh(result.state === "sent");
  };

  const sendWaiting = async () => {
    const acts = await PhoneQueue.all();
    if (acts.every((act) => act.refused)) return;
    await showKept(navigator.onLine);
    await PhoneQueue.flush(told);
    await showKept();
  };

  const showFieldErrors = (act, result) => {
    const form = document.querySelector(`form[data-act="${act.name}"]`);
    const known = result.errors.filter((error) => form && form.querySelector(`[data-error="${error.field}"]`));
    for (const error of known) showError(form, error.field, error.message);
    return known.length > 0;
  };

  const showError = (form, field, text) => {
    const place = form.querySelector(`[data-error="${field}"]`);
    place.querySelector("span").textContent = text;
    place.hidden = false;
    place.scrollIntoView({ block: "center" });
    const input = form.querySelector(`[name="${field}"]:not([type="radio"])`);
    if (input) input.setAttribute("aria-invalid", "true");
  };

  /* The page anew after something was sent; without a signal, or while the house is busy, the old one stays with
     what is typed on it. */
  const refresh = async (isSent = false) => {
    try {
      const response = await fetch(base, { headers: { Accept: "text/html" }, credentials: "same-origin" });
      if (response.status === 429 || response.status >= 500) throw new Error(String(response.status));
      const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
      document.querySelector("main").replaceChildren(...fresh.querySelector("main").childNodes);
      document.title = fresh.title;
      await bind();
      document.querySelector("main").focus();
      scrollTo(0, 0);
    } catch (error) {
      if (isSent) row("done", words.wordsSent);
    }
  };

  /* ---- one act ---- */

  const lack = (form) => {
    const data = new FormData(form);
    if (data.get("reason") === "other" && !data.get("words").trim()) return ["reason", form.dataset.lacksReason];
    if (form.dataset.act !== "finish") return null;
    const result = data.get("result");
    if (result !== "done" && !data.get("note").trim()) return ["note", form.dataset.lacksNote];
    if (result !== "not_done" && data.has("asked") && !data.get("mood")) return ["mood", form.dataset.lacksMood];
    if (result === "done" && "needsPhoto" in form.dataset && !pictures.photos.length) return ["photos", form.dataset.lacksPhoto];
    if (result === "done" && "needsSignature" in form.dataset && !pictures.signature) return ["signature", form.dataset.lacksSignature];
    return null;
  };

  const submit = async (event) => {
    event.preventDefault();
    const form = event.target;
    for (const place of form.querySelectorAll("[data-error]")) place.hidden = true;
    for (const input of form.querySelectorAll("[aria-invalid]")) input.removeAttribute("aria-invalid");
    const missing = lack(form);
    if (missing) {
      showError(form, ...missing);
      return;
    }
    const act = { base, name: form.dataset.act, key: PhoneQueue.newKey(), texts: [], files: [] };
    for (const [name, value] of new FormData(form)) {
      if (typeof value === "string" && name !== "key") act.texts.push([name, value]);
    }
    if (act.name === "finish") {
      pictures.photos.forEach((photo, index) => act.files.push(["photos", { ...photo, name: `${index + 1}.jpg` }]));
      if (pictures.signature) act.files.push(["signature", { ...pictures.signature, name: "signature.png" }]);
    }
    form.hidden = true;
    try {
      await PhoneQueue.keep(act);
    } catch (error) {
      form.hidden = false;
      row("late", words.wordsBroken);
      return;
    }
    await sendWaiting();
    wishForBackground();
  };

  const wishForBackground = async () => {
    if (!("serviceWorker" in navigator)) return;
    const registration = await navigator.serviceWorker.getRegistration(base);
    if (registration && registration.sync) await registration.sync.register("phone-acts").catch(() => undefined);
  };

  /* ---- photos ---- */

  const bytesOf = (canvas, type, quality) => new Promise((resolve) => {
    canvas.toBlob(async (blob) => resolve({ bytes: await blob.arrayBuffer(), type }), type, quality);
  });

  const shrink = async (blob) => {
    const image = await createImageBitmap(blob, { imageOrientation: "from-image" });
    const scale = Math.min(1, LONGEST_SIDE / Math.max(image.width, image.height));
    const canvas = document.createElement("canvas");
    canvas.width = Math.round(image.width * scale);
    canvas.height = Math.round(image.height * scale);
    canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
    return [await bytesOf(canvas, "image/jpeg", JPEG_QUALITY), canvas];
  };

  const addPhotos = async (form, files) => {
    const list = form.querySelector("[data-photos]");
    for (const file of files) {
      if (pictures.photos.length >= Number(list.dataset.most)) {
        showError(form, "photos", words.wordsMost);
        return;
      }
      try {
        const [photo, canvas] = await shrink(file);
        pictures.photos.push(photo);
        showPhoto(form, list, photo, canvas);
      } catch (error) {
        showError(form, "photos", words.wordsNoPhoto);
      }
    }
  };

  const showPhoto = (form, list, photo, canvas) => {
    const item = document.createElement("li");
    const number = pictures.photos.length;
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", fill(words.wordsPhoto, { number }));
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = "×";
    button.setAttribute("aria-label", fill(words.wordsRemove, { number }));
    button.addEventListener("click", () => {
      pictures.photos.splice(pictures.photos.indexOf(photo), 1);
      item.remove();
      saveDraft(form);
    });
    item.append(canvas, button);
    list.append(item);
  };

  /* ---- signature ---- */

  const bindSignature = (form) => {
    const box = form.querySelector("[data-sign]");
    const canvas = box.querySelector("canvas");
    const say = () => {
      box.querySelector("[data-sign-state]").textContent = pictures.signature ? words.wordsSigned : words.wordsUnsigned;
      box.classList.toggle("is-signed", pictures.signature !== null);
    };
    const pad = SignaturePad(canvas, {
      shortest: SHORTEST_SIGNATURE,
      lifted: async () => {
        if (!pad.isSigned()) return;
        pictures.signature = await bytesOf(canvas, "image/png");
        form.querySelector('[data-error="signature"]').hidden = true;
        say();
        saveDraft(form);
      },
      cleared: () => {
        pictures.signature = null;
        say();
      },
    });
    box.querySelector("[data-sign-clear]").addEventListener("click", () => { pad.clear(); saveDraft(form); });
    pad.clear();
    box.hidden = false;
    return async (signature) => {
      pad.pen.drawImage(await createImageBitmap(new Blob([signature.bytes], { type: signature.type })), 0, 0);
      pictures.signature = signature;
      say();
    };
  };

  /* ---- the report: kept while it is written, because taking a photo may close the page ---- */

  const saveDraft = (form) => {
    const texts = Array.from(new FormData(form)).filter(([name, value]) => typeof value === "string" && name !== "key");
    PhoneQueue.saveDraft({ base, texts, photos: [...pictures.photos], signature: pictures.signature }).catch(() => undefined);
  };

  const restoreDraft = async (form, drawSignature) => {
    const draft = await PhoneQueue.draftOf(base).catch(() => undefined);
    if (!draft) return;
    for (const [name, value] of draft.texts) {
      const field = form.elements.namedItem(name);
      if (field && !field.value) field.value = value;
    }
    await addPhotos(form, draft.photos.map((photo) => new Blob([photo.bytes], { type: photo.type })));
    if (draft.signature) await drawSignature(draft.signature);
  };

  const bindReport = async (form) => {
    pictures.photos = [];
    pictures.signature = null;
    const drawSignature = bindSignature(form);
    const chooser = form.querySelector('input[type="file"]');
    chooser.removeAttribute("name");
    chooser.addEventListener("change", async () => {
      form.querySelector('[data-error="photos"]').hidden = true;
      const files = Array.from(chooser.files);
      await addPhotos(form, files);
      chooser.value = "";
      saveDraft(form);
    });
    form.addEventListener("input", (event) => { if (event.target !== chooser) saveDraft(form); });
    await restoreDraft(form, drawSignature);
  };

  /* ---- the time left to answer ---- */

  const leftWords = (seconds) => {
    if (seconds >= 3600) return fill(words.wordsHours, { hours: Math.floor(seconds / 3600), minutes: Math.floor(seconds % 3600 / 60) });
    return fill(words.wordsMinutes, { minutes: Math.floor(seconds / 60), seconds: seconds % 60 });
  };

  const bindCountdown = (until) => {
    const end = performance.now() + Number(until.dataset.until) * 1000;
    const place = until.querySelector("[data-left]");
    const tick = () => {
      const seconds = Math.max(0, Math.round((end - performance.now()) / 1000));
      until.classList.toggle("is-over", seconds === 0);
      place.textContent = seconds ? fill(words.wordsLeft, { time: leftWords(seconds) }) : words.wordsOver;
    };
    countdown = setInterval(tick, 1000);
    tick();
  };

  const bind = async () => {
    clearInterval(countdown);
    const until = document.querySelector("[data-until]");
    if (until) bindCountdown(until);
    for (const form of document.querySelectorAll("form[data-act]")) form.addEventListener("submit", submit);
    for (const button of document.querySelectorAll("[data-reload]")) button.addEventListener("click", () => location.reload());
    const code = document.getElementById("code");
    if (code) Scan.bind(document.getElementById("camera"), document.getElementById("picture"), (text) => { code.value = text; code.form.requestSubmit(); });
    const door = document.getElementById("door_code");
    if (door) Scan.bind(document.getElementById("camera"), document.getElementById("picture"), (text) => { door.value = text; door.focus(); });
    await showKept();
    const report = document.querySelector('form[data-act="finish"]');
    if (report) await bindReport(report);
  };

  const start = async () => {
    if ("serviceWorker" in navigator) navigator.serviceWorker.register(words.worker, { scope: "/w/" }).catch(() => undefined);
    await bind();
    document.documentElement.dataset.ready = "";
    PhoneQueue.listen(async (act, result) => {
      await told(act, result);
      await showKept();
    });
    addEventListener("online", sendWaiting);
    document.addEventListener("visibilitychange", () => { if (!document.hidden) sendWaiting(); });
    setInterval(sendWaiting, AGAIN_MS);
    await sendWaiting();
  };

  if ("indexedDB" in window && "createImageBitmap" in window) start();
})();
