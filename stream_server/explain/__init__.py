"""Where in a face crop the evidence lies: Grad-CAM with ONNX Runtime or Triton alone."""
