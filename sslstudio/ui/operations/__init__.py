"""What the window asks of the engine where one function of it is not enough: plain functions that run on other
threads, one module a subject. What a single function of the engine does, whoever wants it hands to `jobs.run` itself.

Modules that load torch are imported when they are needed, so that the window opens before torch is loaded.
"""
