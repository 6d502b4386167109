/* The service worker of the card check: keeps its page, which holds no data, for the time without a network. */
"use strict";

importScripts("/static/shell.js");

keepShell("/cards/check", "card-check", (address) => address.pathname === "/cards/check");
