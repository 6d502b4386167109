/* What a firm has done but could not send yet: kept on the phone, sent in order, once each by its key.
   Shared by the page (phone.js) and the service worker (phone-worker.js). */
"use strict";

const PhoneQueue = (() => {
  const NAME = "phone-acts";
  const TRY_AGAIN = new Set([408, 425, 429]);
  const LONGEST_SEND_MS = 90000;
  const news = "BroadcastChannel" in self ? new BroadcastChannel(NAME) : null;
  let running = null;

  const open = () => new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore("acts", { keyPath: "order", autoIncrement: true });
      request.result.createObjectStore("drafts", { keyPath: "base" });
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

  const within = async (store, mode, work) => {
    const database = await open();
    try {
      return await new Promise((resolve, reject) => {
        const change = database.transaction(store, mode);
        const request = work(change.objectStore(store));
        change.oncomplete = () => resolve(request.result);
        change.onerror = () => reject(change.error);
        change.onabort = () => reject(change.error);
      });
    } finally {
      database.close();
    }
  };

  const newKey = () => Array.from(crypto.getRandomValues(new Uint8Array(18)), (byte) => byte.toString(16).padStart(2, "0")).join("");

  const keep = (act) => within("acts", "readwrite", (store) => store.add(act));
  const all = () => within("acts", "readonly", (store) => store.getAll());
  const forget = (order) => within("acts", "readwrite", (store) => store.delete(order));
  const mark = (act) => within("acts", "readwrite", (store) => store.put(act));
  const saveDraft = (draft) => within("drafts", "readwrite", (store) => store.put(draft));
  const draftOf = (base) => within("drafts", "readonly", (store) => store.get(base));
  const dropDraft = (base) => within("drafts", "readwrite", (store) => store.delete(base));

  const bodyOf = (act) => {
    const body = new FormData();
    for (const [name, value] of act.texts) body.append(name, value);
    for (const [name, file] of act.files) body.append(name, new Blob([file.bytes], { type: file.type }), file.name);
    return body;
  };

  /* Sends one act; tells sent, kept (no answer, or one that passes) or refused with its reason. */
  const send = async (act) => {
    const stop = new AbortController();
    const timer = setTimeout(() => stop.abort(), LONGEST_SEND_MS);
    try {
      const response = await fetch(`${act.base}/${act.name}`, {
        method: "POST",
        body: bodyOf(act),
        headers: { Accept: "application/json", "Idempotency-Key": act.key },
        credentials: "omit",
        signal: stop.signal,
      });
      if (response.ok) return { state: "sent" };
      if (response.status >= 500 || TRY_AGAIN.has(response.status)) return { state: "kept" };
      const problem = await response.json();
      if (problem.code === "still_running") return { state: "kept" };
      return { state: "refused", words: problem.detail, errors: problem.errors || [], code: problem.code };
    } catch (error) {
      return { state: "kept" };
    } finally {
      clearTimeout(timer);
    }
  };

  const sendAll = async (tell) => {
    for (;;) {
      const act = (await all()).find((one) => !one.refused);
      if (!act) return;
      const result = await send(act);
      if (result.state === "kept") return;
      if (result.state === "sent") {
        await forget(act.order);
        if (act.name === "finish") await dropDraft(act.base);
      } else {
        act.refused = result.words;
        await mark(act);
      }
      const told = { base: act.base, name: act.name, order: act.order };
      if (news) news.postMessage([told, result]);
      await tell(told, result);
    }
  };

  /* What another page or the worker has sent. */
  const listen = (tell) => {
    if (news) news.addEventListener("message", (event) => tell(...event.data));
  };

  /* Sends what waits, oldest first; stops at the first that gets no answer. Never two at once in one browser. */
  const flush = (tell) => {
    if (!running) {
      const alone = () => sendAll(tell || (() => undefined));
      running = (self.navigator.locks ? navigator.locks.request(NAME, alone) : alone()).finally(() => { running = null; });
    }
    return running;
  };

  return { all, draftOf, flush, forget, keep, listen, newKey, saveDraft };
})();
