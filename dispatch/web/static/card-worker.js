/* The service worker of the card check: keeps its page, which holds no data, for the time without a network. */
"use strict";

const SHELL = "/cards/check";
const CACHE = "card-check";
const PARTS = /(?:href|src)="(\/(?:static|vendor)\/[^"#]+)/g;

const fill = async () => {
  const cache = await caches.open(CACHE);
  const shell = await fetch(SHELL, { cache: "no-store", credentials: "omit" });
  const text = await shell.clone().text();
  const parts = new Set(Array.from(text.matchAll(PARTS), (found) => found[1].replaceAll("&amp;", "&")));
  await cache.addAll(parts);
  await cache.put(SHELL, shell);
};

self.addEventListener("install", (event) => event.waitUntil(fill().then(() => self.skipWaiting())));
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("fetch", (event) => {
  const request = event.request;
  if (request.method !== "GET") return;
  const address = new URL(request.url);
  if (address.origin !== self.location.origin) return;
  if (request.mode === "navigate" && address.pathname === SHELL) {
    event.respondWith(fetch(request).catch(() => caches.match(SHELL)));
  } else if (address.pathname.startsWith("/static/") || address.pathname.startsWith("/vendor/")) {
    event.respondWith(fetch(request).catch(async () => (await caches.match(request)) || Response.error()));
  }
});
