// One picture of a video for the list of what was flagged, and for a report.

/** Longer side, pixels: enough to recognise a face by. */
const SIDE = 640;
const QUALITY = 0.85;

/**
 * @param {HTMLVideoElement} video
 * @returns {Promise<string|null>} a JPEG as a data: address; null where the page may not read its video
 */
export async function stillOf(video) {
  const { videoWidth, videoHeight } = video;
  const scale = Math.min(1, SIDE / Math.max(videoWidth, videoHeight, 1));
  const [width, height] = [Math.round(videoWidth * scale), Math.round(videoHeight * scale)];
  if (!width || !height) return null;
  try {
    const canvas = new OffscreenCanvas(width, height);
    canvas.getContext("2d", { alpha: false })?.drawImage(video, 0, 0, width, height);
    const blob = await canvas.convertToBlob({ type: "image/jpeg", quality: QUALITY }); // throws for another site's video
    return await new Promise((resolve, reject) => {
      const reader = new FileReader();
      reader.onload = () => resolve(String(reader.result));
      reader.onerror = () => reject(reader.error);
      reader.readAsDataURL(blob);
    });
  } catch {
    return null;
  }
}
