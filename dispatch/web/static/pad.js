/* A signature drawn with a finger or the mouse on a white canvas. Shared by the phone page, the counter and the stock:
   `lifted` is called when a stroke ends, `cleared` when the pad is empty again. */
"use strict";

const SignaturePad = (canvas, { shortest, lifted, cleared }) => {
  const pen = canvas.getContext("2d");
  let last = null;
  let length = 0;
  const clear = () => {
    pen.fillStyle = "#fff";
    pen.fillRect(0, 0, canvas.width, canvas.height);
    Object.assign(pen, { lineWidth: 6, lineCap: "round", lineJoin: "round", strokeStyle: "#111" });
    length = 0;
    cleared();
  };
  const point = (event) => {
    const edge = canvas.getBoundingClientRect();
    return [(event.clientX - edge.left) * canvas.width / edge.width, (event.clientY - edge.top) * canvas.height / edge.height];
  };
  const lift = () => {
    if (!last) return;
    last = null;
    lifted();
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
  return { clear, pen, isSigned: () => length >= shortest };
};
