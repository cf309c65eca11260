"""The report on a run: one page of HTML that holds all that it shows, for people who do not have the program.

It reads run folders and writes English; nothing is computed anew.
"""
