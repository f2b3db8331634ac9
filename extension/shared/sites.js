// On which sites Fakelight works: the sites turned on one by one, or all but some.

/** @typedef {Pick<import("./settings.js").Settings, "allSites"|"onSites"|"offSites"|"playerSites">} Settings */
/** @typedef {Pick<Settings, "allSites"|"onSites"|"offSites">} SiteSettings */
/** @typedef {Pick<SiteSettings, "onSites"|"offSites">} SiteLists */
/** @typedef {Pick<Settings, "playerSites"|"offSites">} PlayerLists */

export const ALL_SITES = Object.freeze(["http://*/*", "https://*/*"]);

/**
 * What the browser is asked for to watch all sites. Firefox lets an extension read another site's
 * video with this one permission alone, however many sites it has.
 */
export function permissionForAll() {
  return isFirefox() ? ["<all_urls>"] : [...ALL_SITES];
}

/**
 * Firefox lets an extension read a video that its page may not read, has no pictures of tabs, and takes
 * back what a click gave as soon as the tab loads anything.
 */
export function isFirefox() {
  return "getBrowserInfo" in (globalThis.chrome?.runtime ?? {});
}

/**
 * Scheme and host. Without the port, which match patterns do not know in every browser.
 * @param {string|undefined} url
 * @returns {string|null} null for pages that are not of the web
 */
export function siteOf(url) {
  if (!url || !/^https?:/.test(url)) return null;
  const { protocol, hostname } = new URL(url);
  return `${protocol}//${hostname}`;
}

/** @param {string} site */
export function patternOf(site) {
  return `${site}/*`;
}

/**
 * @param {SiteSettings} settings
 * @param {string|null} site
 * @returns {boolean} turned on by a lasting choice
 */
export function isOn(settings, site) {
  if (site === null || settings.offSites.includes(site)) return false;
  return settings.allSites || settings.onSites.includes(site);
}

/**
 * @param {Pick<import("./settings.js").Settings, "sensitivity"|"siteSensitivity">} settings
 * @param {string|null} site
 * @returns {import("./settings.js").Sensitivity} the site's own, else the one for everywhere
 */
export function sensitivityOn({ sensitivity, siteSensitivity }, site) {
  return (site !== null && siteSensitivity[site]) || sensitivity;
}

/**
 * @param {Pick<import("./settings.js").Settings, "siteSensitivity">} settings
 * @param {string} site
 * @param {import("./settings.js").Sensitivity|null} level null for the one that holds everywhere
 */
export function withSensitivity({ siteSensitivity }, site, level) {
  const { [site]: _, ...others } = siteSensitivity;
  return { siteSensitivity: level === null ? others : { ...others, [site]: level } };
}

/**
 * @param {SiteSettings} settings
 * @returns {{matches: string[], excludeMatches: string[]}} where the content script is to run by
 *     itself
 */
export function patternsOf({ allSites, onSites, offSites }) {
  return {
    matches: allSites ? [...ALL_SITES] : onSites.map(patternOf),
    excludeMatches: offSites.map(patternOf),
  };
}

/**
 * The lists with a lasting choice for one site.
 * @param {SiteLists} lists
 * @param {string} site
 * @param {boolean} on
 * @returns {SiteLists}
 */
export function withSite(lists, site, on) {
  const { onSites, offSites } = withoutSite(lists, site);
  return on ? { onSites: [...onSites, site], offSites } : { onSites, offSites: [...offSites, site] };
}

/**
 * The lists without any choice for one site.
 * @param {SiteLists} lists
 * @param {string} site
 * @returns {SiteLists}
 */
export function withoutSite({ onSites, offSites }, site) {
  return {
    onSites: onSites.filter((other) => other !== site),
    offSites: offSites.filter((other) => other !== site),
  };
}

/**
 * The lists once players of a site may be watched wherever they are embedded.
 * @param {PlayerLists} lists
 * @param {string} site
 * @returns {PlayerLists}
 */
export function withPlayers({ playerSites, offSites }, site) {
  return {
    playerSites: [...playerSites.filter((other) => other !== site), site],
    offSites: offSites.filter((other) => other !== site),
  };
}

/**
 * @param {Settings} settings
 * @param {string} site
 * @returns {boolean} whether anything that is turned on needs the browser's permission for it
 */
export function needsPermission({ allSites, onSites, playerSites }, site) {
  return allSites || onSites.includes(site) || playerSites.includes(site);
}
