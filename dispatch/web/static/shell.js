/* What service workers of the house share: one page without data, with its parts, is kept for the time without a
   network. `isMine` says which addresses it answers for then; no other page is ever kept. */
"use strict";

self.keepShell = (shell, name, isMine) => {
  const PARTS = /(?:href|src)="(\/(?:static|vendor)\/[^"#]+)/g;

  const fill = async () => {
    const cache = await caches.open(name);
    const page = await fetch(shell, { cache: "no-store", credentials: "omit" });
    const text = await page.clone().text();
    const parts = new Set(Array.from(text.matchAll(PARTS), (found) => found[1].replaceAll("&amp;", "&")));
    await cache.addAll(parts);
    await cache.put(shell, page);
  };

  self.addEventListener("install", (event) => event.waitUntil(fill().then(() => self.skipWaiting())));
  self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

  self.addEventListener("fetch", (event) => {
    const request = event.request;
    if (request.method !== "GET") return;
    const address = new URL(request.url);
    if (address.origin !== self.location.origin) return;
    if (request.mode === "navigate" && isMine(address)) {
      event.respondWith(fetch(request).catch(() => caches.match(shell)));
    } else if (address.pathname.startsWith("/static/") || address.pathname.startsWith("/vendor/")) {
      event.respondWith(fetch(request).catch(async () => (await caches.match(request)) || Response.error()));
    }
  });
};
