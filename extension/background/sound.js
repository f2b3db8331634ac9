// Where the sound of a warning is made: in the offscreen document, or here where there is none (Firefox).

import { inDocument } from "./tab_capture.js";
import { chime } from "../notify/chime.js";

export async function playChime() {
  if ("offscreen" in chrome) await inDocument("chime");
  else await chime();
}
