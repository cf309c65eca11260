"""What the window asks of the engine: plain functions that run on other threads, one module a subject.

They import the engine when they are called, so that the window opens before torch is loaded. No Qt here.
"""
