/* The record of a visit: the camera reads the code at the door into its field. */
"use strict";

{
  const field = document.getElementById("door_code");
  Scan.bind(document.getElementById("camera"), document.getElementById("picture"), (text) => {
    field.value = text;
    field.focus();
  });
}
