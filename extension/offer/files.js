// Which of the files that a page has received is a video.

const ENDING = /\.(mp4|m4v|mov|webm|mkv|avi|mpe?g|ogv|3gp|ts|mts|m2ts|wmv|flv)$/i;

/**
 * @param {Iterable<File>} files
 * @returns {File|null} the first of them; systems do not know every kind, so that its name counts too
 */
export function videoAmong(files) {
  return [...files].find(({ type, name }) => type.startsWith("video/") || (type === "" && ENDING.test(name))) ?? null;
}
