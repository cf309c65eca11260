"""The command line: one module for each group of commands, and `main`, which reads the arguments.

Commands import the engine when they run, so that help is there at once.
"""
