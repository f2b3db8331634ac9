// The sound of a warning: two soft tones, made here, so that no file has to be fetched.

/** Hertz: a falling third, which asks for a look and does not alarm. */
const TONES = [784, 622];
const EACH_S = 0.22;
const LOUDEST = 0.18;
/** Longer than a browser on a busy machine takes to begin; one that may not play, or has nothing to play on, never does. */
const PATIENCE_MS = 5000;

/** @returns {Promise<number>} seconds that were played; 0 where the browser plays nothing */
export async function chime() {
  const context = new AudioContext();
  try {
    await Promise.race([context.resume(), new Promise((resolve) => setTimeout(resolve, PATIENCE_MS))]);
    const begin = context.currentTime + 0.02;
    TONES.forEach((pitch, index) => {
      const at = begin + index * EACH_S;
      const tone = new OscillatorNode(context, { type: "sine", frequency: pitch });
      const loudness = new GainNode(context, { gain: 0 });
      loudness.gain.setValueAtTime(0, at);
      loudness.gain.linearRampToValueAtTime(LOUDEST, at + 0.02);
      loudness.gain.exponentialRampToValueAtTime(0.001, at + EACH_S);
      tone.connect(loudness).connect(context.destination);
      tone.start(at);
      tone.stop(at + EACH_S);
    });
    await new Promise((resolve) => setTimeout(resolve, 1000 * (TONES.length * EACH_S + 0.1)));
    return context.currentTime;
  } finally {
    await context.close();
  }
}
