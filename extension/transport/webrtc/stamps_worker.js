// Sees every encoded frame on its way out, changes nothing, and tells its RTP timestamp. A worker,
// because that is where browsers run such transforms.

addEventListener("rtctransform", (event) => {
  const { transformer } = /** @type {any} */ (event);
  const { port } = transformer.options;
  const watch = new TransformStream({
    transform(frame, controller) {
      port.postMessage(frame.getMetadata().rtpTimestamp ?? frame.timestamp);
      controller.enqueue(frame);
    },
  });
  void transformer.readable.pipeThrough(watch).pipeTo(transformer.writable);
});
