"""Trained networks for other programs: safetensors, TorchScript, ONNX, with a card and a script that uses them.

`use_it` is copied into every export as it stands, so it imports nothing of the program.
"""
