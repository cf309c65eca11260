"""The window around the pages: its start and end, menus, steps, help, preferences, tour, the open project's file.

Only the command line imports it.
"""
