"""The command line: one module for each group of commands, and `main`, which reads the arguments.

Each module has a table of its commands. Their flags come from the options of the engine's configs, which are loaded
once a command is typed, so that the list of commands is there at once.
"""
