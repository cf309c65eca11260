"""The machine that computes: devices, precision, memory, random generators, and processes that train together.

Everything that says cuda, mps, cpu, autocast or torch.distributed belongs here.
"""
