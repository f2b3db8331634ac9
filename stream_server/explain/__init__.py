"""Where in a face crop the evidence lies: gradients with ONNX Runtime or Triton alone."""
