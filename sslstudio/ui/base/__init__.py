"""What the whole window stands on: colours and styles, icons, the person's settings, the log of errors.

It knows no widget of the program and nothing of the engine's runs.
"""
