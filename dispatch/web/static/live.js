// Live pages: one stream says “changed”, the page fetches its own fragments; the clock; a gentle fallback to polling.
(() => {
  "use strict";
  const POLL_EVERY = 10000;
  const GATHER = 400;
  const RETRY_AFTER = 5000;
  const body = document.body;
  const mark = document.querySelector("[data-live-mark]");
  const isChinese = document.documentElement.lang.startsWith("zh");
  const words = isChinese
    ? { live: "实时更新", polling: "每 10 秒更新", off: "连接中断，正在重连" }
    : { live: "Live", polling: "Updated every 10 s", off: "Connection lost, trying again" };
  let source = null;
  let polling = null;
  let gathering = null;

  const say = (word) => { if (mark) { mark.dataset.words = words[word]; } };

  const changed = () => {
    if (gathering) { return; }
    gathering = window.setTimeout(() => {
      gathering = null;
      body.dispatchEvent(new CustomEvent("changed"));
    }, GATHER);
  };

  const poll = () => {
    if (!polling) { polling = window.setInterval(changed, POLL_EVERY); }
    say("polling");
  };

  const listen = () => {
    const address = body.dataset.live;
    if (!address || !window.EventSource) { return; }
    source = new EventSource(address);
    source.addEventListener("ready", () => {
      window.clearInterval(polling);
      polling = null;
      say("live");
      changed();  // what changed between the making of the page and now was told to nobody
    });
    source.addEventListener("changed", changed);
    source.addEventListener("full", () => { source.close(); poll(); });
    source.addEventListener("error", () => {
      if (source.readyState === EventSource.CLOSED) {
        poll();
        window.setTimeout(listen, RETRY_AFTER * 6);
      } else {
        say("off");
      }
    });
  };

  // A fragment is not replaced while somebody types or chooses in it: it is fetched again when they are done.
  body.addEventListener("htmx:beforeSwap", (event) => {
    const target = event.detail.target;
    const active = document.activeElement;
    const isBusy = active && target.contains(active) && active.matches("input, textarea, select");
    const isOpen = target.querySelector("details.act[open]");
    if (event.detail.requestConfig.triggeringEvent?.type === "changed" && (isBusy || isOpen)) {
      event.detail.shouldSwap = false;
      target.dataset.stale = "1";
    }
  });

  // Focus stays on the same link or button when a live fragment comes in.
  let focused = null;
  body.addEventListener("htmx:beforeSwap", (event) => {
    const active = document.activeElement;
    focused = active && active.id && event.detail.target.contains(active) ? active.id : null;
  });
  body.addEventListener("htmx:afterSwap", () => {
    const again = focused && document.getElementById(focused);
    if (again && document.activeElement === body) { again.focus({ preventScroll: true }); }
    focused = null;
  });

  body.addEventListener("htmx:sendError", () => say("off"));

  const clock = document.querySelector("[data-clock]");
  // The time of the business, as the server told it with the page, carried on by this machine's clock.
  const ahead = clock ? Date.parse(clock.dateTime) - Date.now() || 0 : 0;
  const tick = () => {
    clock.textContent = new Intl.DateTimeFormat("zh-CN", {
      timeZone: "Asia/Shanghai", hour: "2-digit", minute: "2-digit", hourCycle: "h23",
    }).format(new Date(Date.now() + ahead));
  };
  if (clock) { tick(); window.setInterval(tick, 5000); }

  // Choices that send themselves (filters) and “print this page”, without inline handlers.
  document.addEventListener("change", (event) => {
    const form = event.target.closest("form[data-send-on-change]");
    if (form) { form.requestSubmit(); }
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-print]")) { window.print(); }
  });
  // A form is sent once: the second click finds the button resting until the answer is there.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method !== "post" || form.hasAttribute("hx-post")) { return; }
    if (form.dataset.sent) { event.preventDefault(); return; }
    form.dataset.sent = "1";
    window.setTimeout(() => { delete form.dataset.sent; }, RETRY_AFTER);
  });

  listen();
})();
