"""What a trained network is worth: scores with intervals, probes, verdicts, predictions, maps of features.

It takes networks, arrays and batches. It trains nothing but small probes and writes no run.
"""
