"""From trained modules to the model repository that both engines serve.

``repository_writer`` and ``graphs`` need ``onnx`` alone; ``onnx_export`` needs PyTorch.
"""
