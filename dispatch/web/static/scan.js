/* A camera that reads QR codes where the browser can (BarcodeDetector); a scanner or a keyboard types into the field. */
"use strict";

const Scan = (() => {
  const EVERY_MS = 150;

  const isPossible = () => "BarcodeDetector" in window && Boolean(navigator.mediaDevices);

  /* Reads until something was read or `stop` is called; gives the text to `tell`. */
  const start = async (video, tell) => {
    const detector = new BarcodeDetector({ formats: ["qr_code"] });
    const stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
    video.srcObject = stream;
    await video.play();
    let timer = 0;
    const stop = () => {
      clearInterval(timer);
      for (const track of stream.getTracks()) track.stop();
      video.srcObject = null;
    };
    timer = setInterval(async () => {
      const found = await detector.detect(video).catch(() => []);
      if (found.length) {
        stop();
        tell(found[0].rawValue);
      }
    }, EVERY_MS);
    return stop;
  };

  /* A button that opens the camera and closes it again; hidden where there is none. */
  const bind = (button, video, tell) => {
    if (!isPossible()) return;
    let stop = null;
    button.hidden = false;
    button.addEventListener("click", async () => {
      if (stop) {
        stop();
        stop = null;
        video.hidden = true;
        return;
      }
      video.hidden = false;
      try {
        stop = await start(video, (text) => {
          stop = null;
          video.hidden = true;
          tell(text);
        });
      } catch (error) {
        video.hidden = true;
        button.hidden = true;
      }
    });
  };

  return { bind };
})();
