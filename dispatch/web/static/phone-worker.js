/* The service worker of the phone page: a page without data for the time without a signal, and sending in the
   background where the browser can. It keeps no page of an order: those hold personal data. */
"use strict";

importScripts("/static/phone-queue.js", "/static/shell.js");

keepShell("/w/offline", "phone-shell", () => true);

self.addEventListener("sync", (event) => {
  if (event.tag === "phone-acts") event.waitUntil(PhoneQueue.flush());
});
