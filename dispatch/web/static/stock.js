/* Signing a disposal: drawn with a finger or the mouse, sent with the form as a PNG; a file can be sent instead. */
(() => {
  const SHORTEST = 40;
  for (const pad of document.querySelectorAll("[data-sign-pad]")) {
    const [canvas, state, again, field] = ["canvas", "[data-signed]", "button", '[name="signature"]'].map((what) => pad.querySelector(what));
    const say = () => {
      state.textContent = field.value ? state.dataset.signed : state.dataset.unsigned;
      pad.classList.toggle("is-signed", field.value !== "");
    };
    const drawn = SignaturePad(canvas, {
      shortest: SHORTEST,
      lifted: () => {
        if (drawn.isSigned()) field.value = canvas.toDataURL("image/png");
        say();
      },
      cleared: () => {
        field.value = "";
        say();
      },
    });
    again.addEventListener("click", drawn.clear);
    canvas.hidden = again.hidden = false;
    drawn.clear();
  }
})();
