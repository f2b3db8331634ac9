"""Pages as feeds are made: clips in turn, adverts in the same element, a wall of them."""

from __future__ import annotations

from collections.abc import Sequence

# Counts what moves on the page by itself; a person's own scrolling does not count for the browser.
SHIFTS = """
window.shifts = [];
new PerformanceObserver((list) => {
  const place = ({ x, y, width, height }) => [x, y, width, height].map(Math.round).join(" ");
  for (const { value, sources } of list.getEntries()) {
    const moved = sources.map(({ node, previousRect, currentRect }) =>
      `${node?.nodeName ?? "hidden"}: ${place(previousRect)} to ${place(currentRect)}`);
    shifts.push(`${value.toExponential(1)} (${moved.join(", ")})`);
  }
}).observe({ type: "layout-shift", buffered: true });
"""


def feed_page(clips: Sequence[str]) -> str:
    """An endless list: ``next()`` goes on to the following clip; those out of view are taken out.

    ``back()`` goes to the clip before, in an element made anew. ``swap(src)`` gives the clip in
    view another source, as for an advert or another quality.
    """
    sources = ", ".join(f'"{clip}"' for clip in clips)
    return f"""<!doctype html><html lang="en"><head><meta charset="utf-8"><title>feed</title><style>
body {{ margin: 0; font: 16px sans-serif }}
article {{ height: 640px }} .slot {{ width: 640px; height: 360px }}
video {{ width: 640px; height: 360px; display: block }}
</style></head><body><h1>Clips</h1><main id="list"></main><script>
{SHIFTS}
const clips = [{sources}];
let at = 0;
function add(index) {{
  const article = document.createElement("article");
  article.dataset.index = index;
  article.innerHTML = `<a href="/posts/${{index}}">A clip</a><div class="slot"></div>`;
  list.append(article);
  return article;
}}
function show(index) {{
  for (const video of list.querySelectorAll("video")) {{
    video.pause();
    video.removeAttribute("src");
    video.load();
    video.remove();
  }}
  at = index;
  const entry = list.querySelector(`[data-index="${{index}}"]`) ?? add(index);
  window.v = document.createElement("video");
  Object.assign(v, {{ muted: true, loop: true, playsInline: true }});
  v.src = clips[index % clips.length];
  entry.querySelector(".slot").append(v);
  entry.scrollIntoView();
  void v.play();
}}
function next() {{ show(at + 1); }}
function back() {{ show(at - 1); }}
function swap(source, rate = 1) {{
  v.defaultPlaybackRate = rate;
  v.src = source;
  void v.play();
}}
show(0);
</script></body></html>
"""


def wall_page(clip: str, count: int, style: str) -> str:
    """``count`` clips side by side, all of them playing."""
    videos = "".join(
        f'<video id="v{n}" src="{clip}?id={n}" autoplay muted loop style="{style}"></video>'
        for n in range(count)
    )
    return f"""<!doctype html><html lang="en"><head><meta charset="utf-8"><title>wall</title>
<style>body {{ margin: 0 }}</style></head><body>{videos}</body></html>"""


FED_PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>player</title>
</head><body><video id="v" muted playsinline width="640" height="360"></video><script>
// Feeds the element anew, as players do for another quality, an advert or a live stream.
async function attach(clip, live = false, rate = 1) {
  const source = new MediaSource();
  v.src = URL.createObjectURL(source);
  await new Promise((open) => source.addEventListener("sourceopen", open, { once: true }));
  const buffer = source.addSourceBuffer('video/mp4; codecs="avc1.640016"');
  buffer.appendBuffer(await (await fetch(clip)).arrayBuffer());
  await new Promise((done) => buffer.addEventListener("updateend", done, { once: true }));
  if (live) source.duration = Infinity;
  else source.endOfStream();
  v.playbackRate = rate;
  await v.play();
}
v.addEventListener("ended", () => v.play());
</script></body></html>
"""
