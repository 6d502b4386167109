/* Signing a disposal: drawn with a finger or the mouse, sent with the form as a PNG; a file can be sent instead. */
(() => {
  const SHORTEST = 40;
  for (const pad of document.querySelectorAll("[data-sign-pad]")) {
    const [canvas, state, again, field] = ["canvas", "[data-signed]", "button", '[name="signature"]'].map((what) => pad.querySelector(what));
    const pen = canvas.getContext("2d");
    let last = null;
    let length = 0;
    const say = () => {
      state.textContent = field.value ? state.dataset.signed : state.dataset.unsigned;
      pad.classList.toggle("is-signed", field.value !== "");
    };
    const clear = () => {
      pen.fillStyle = "#fff";
      pen.fillRect(0, 0, canvas.width, canvas.height);
      Object.assign(pen, { lineWidth: 6, lineCap: "round", lineJoin: "round", strokeStyle: "#111" });
      length = 0;
      field.value = "";
      say();
    };
    const point = (event) => {
      const edge = canvas.getBoundingClientRect();
      return [(event.clientX - edge.left) * canvas.width / edge.width, (event.clientY - edge.top) * canvas.height / edge.height];
    };
    const lift = () => {
      if (!last) return;
      last = null;
      if (length >= SHORTEST) field.value = canvas.toDataURL("image/png");
      say();
    };
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      last = point(event);
    });
    canvas.addEventListener("pointermove", (event) => {
      if (!last) return;
      const next = point(event);
      pen.beginPath();
      pen.moveTo(...last);
      pen.lineTo(...next);
      pen.stroke();
      length += Math.hypot(next[0] - last[0], next[1] - last[1]);
      last = next;
    });
    canvas.addEventListener("pointerup", lift);
    canvas.addEventListener("pointercancel", lift);
    again.addEventListener("click", clear);
    canvas.hidden = again.hidden = false;
    clear();
  }
})();
