// The few calls of the browser's extension API that the settings and the pairing need.

export function chromeWith() {
  /** @type {Record<string, unknown>} */
  const local = {};
  /** @type {string[]} */
  const accessLevels = [];
  const storage = {
    local: {
      get: async (/** @type {string[]} */ keys) =>
        Object.fromEntries(keys.filter((key) => key in local).map((key) => [key, local[key]])),
      set: async (/** @type {object} */ values) => void Object.assign(local, values),
      setAccessLevel: async (/** @type {{accessLevel: string}} */ { accessLevel }) =>
        void accessLevels.push(accessLevel),
    },
  };
  Reflect.set(globalThis, "chrome", { storage });
  return { local, accessLevels };
}
