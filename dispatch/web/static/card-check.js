/* Checks a love card by its own signature, without a network: it says that the card was valid on a day, no more. */
"use strict";

(() => {
  const LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
  const SIGNATURE_BYTES = 64;
  const words = document.body.dataset;
  const form = document.getElementById("check");
  const field = document.getElementById("card");
  const answer = document.getElementById("answer");

  const bytesOf = (letters) => {
    let number = 0n;
    for (const letter of letters) {
      const place = LETTERS.indexOf(letter);
      if (place < 0) return null;
      number = number * 32n + BigInt(place);
    }
    const bytes = new Uint8Array(SIGNATURE_BYTES);
    for (let place = SIGNATURE_BYTES - 1; place >= 0; place -= 1) {
      bytes[place] = Number(number & 255n);
      number >>= 8n;
    }
    return number === 0n ? bytes : null;
  };

  /* The day of issue of a card that this installation has signed, else null. */
  const dayOf = async (text) => {
    const parts = text.trim().toUpperCase().split("/");
    if (parts.length !== 4 || parts[0] !== "HQ1" || !/^\d{8}$/.test(parts[2])) return null;
    const signature = bytesOf(parts[3]);
    if (!signature) return null;
    const kind = { name: "ECDSA", namedCurve: "P-256" };
    const key = await crypto.subtle.importKey("jwk", JSON.parse(words.key), kind, false, ["verify"]);
    const said = new TextEncoder().encode(parts.slice(0, 3).join("/"));
    const good = await crypto.subtle.verify({ name: "ECDSA", hash: "SHA-256" }, key, signature, said);
    return good ? parts[2].replace(/(\d{4})(\d{2})(\d{2})/, "$1-$2-$3") : null;
  };

  const tell = async (text) => {
    const day = await dayOf(text);
    answer.className = `answer tone-${day ? "done" : "late"}`;
    answer.querySelector("strong").textContent = day ? words.wordsWas.replace("{day}", day) : words.wordsNo;
    answer.querySelector("span").textContent = day ? words.wordsOnly : words.wordsAsk;
    answer.hidden = false;
  };

  if (!window.crypto || !crypto.subtle) {
    answer.hidden = false;
    answer.querySelector("strong").textContent = words.wordsUnable;
    return;
  }
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    await tell(field.value);
    field.select();
  });
  Scan.bind(document.getElementById("camera"), document.getElementById("picture"), async (text) => {
    field.value = text;
    await tell(text);
  });
  if ("serviceWorker" in navigator) {
    navigator.serviceWorker.register(words.worker, { scope: "/cards/" }).catch(() => undefined);
  }
  document.documentElement.dataset.ready = "";
})();
